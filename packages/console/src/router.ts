/** Pages, as the address's fragment names them: `#/guests/evm/blocks/7`. */
export type Route =
  | { readonly page: 'guests' }
  | { readonly page: 'create' }
  | { readonly page: 'host' }
  | { readonly page: GuestTab; readonly guest: string }
  | { readonly page: 'block'; readonly guest: string; readonly block: string }
  | { readonly page: 'transaction'; readonly guest: string; readonly hash: string }
  | { readonly page: 'account'; readonly guest: string; readonly address: string }
  | { readonly page: 'missing'; readonly path: string };

export type GuestTab = (typeof guestTabs)[number];

export const guestTabs = ['overview', 'terminal', 'blocks', 'snapshots', 'requests'] as const;

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, '');
  const [area = '', guest, section, item, ...more] = path.split('/').map(decode);
  const missing: Route = { page: 'missing', path: `/${path}` };
  if (more.length > 0) return missing;
  if (area === '' || (area === 'guests' && guest === undefined)) return { page: 'guests' };
  if ((area === 'new' || area === 'host') && guest === undefined) {
    return { page: area === 'new' ? 'create' : 'host' };
  }
  if (area !== 'guests' || guest === undefined || guest === '') return missing;
  if (section === undefined) return { page: 'overview', guest };
  if (item === undefined) {
    const tab = guestTabs.find((name) => name === section);
    return tab === undefined ? missing : { page: tab, guest };
  }
  if (section === 'blocks') return { page: 'block', guest, block: item };
  if (section === 'transactions') return { page: 'transaction', guest, hash: item };
  if (section === 'accounts') return { page: 'account', guest, address: item };
  return missing;
}

/** The fragment of a page: what links hold. `parseRoute` gives the page back. */
export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'guests':
      return '#/guests';
    case 'create':
      return '#/new';
    case 'host':
      return '#/host';
    case 'missing':
      return `#${route.path}`;
    case 'overview':
      return guestHref(route.guest);
    case 'block':
      return guestHref(route.guest, 'blocks', route.block);
    case 'transaction':
      return guestHref(route.guest, 'transactions', route.hash);
    case 'account':
      return guestHref(route.guest, 'accounts', route.address);
    default:
      return guestHref(route.guest, route.page);
  }
}

function guestHref(guest: string, ...parts: readonly string[]): string {
  return `#/guests/${[guest, ...parts].map(encodeURIComponent).join('/')}`;
}

/** A person may write anything into the address. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
