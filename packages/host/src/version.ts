/** Version of the published package, for banners and the control API. A test holds it to `package.json`. */
export const VERSION = '0.1.0';
