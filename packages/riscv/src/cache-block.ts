/** What the `cbo` instructions act on. A page has a whole number of them. */
export const CACHE_BLOCK_BYTES = 64;
