/** Connections of the elements on a page: those that ask one server, with one token, share one. */

import { Api } from "../net/api";
import { Hub } from "../net/hub";

interface Shared {
  api: Api;
  hub: Hub;
  users: number;
}

const all = new Map<string, Shared>();

/** Return the way to a server; `release` is called when it is not needed any more. */
export function hubFor(root: string, token: string | null): { api: Api; hub: Hub; release: () => void } {
  const key = JSON.stringify([root, token]);
  const shared = all.get(key) ?? made(root, token);
  all.set(key, shared);
  shared.users += 1;
  return { api: shared.api, hub: shared.hub, release: () => leave(key, shared) };
}

function made(root: string, token: string | null): Shared {
  const api = new Api(token === null ? { root } : { root, token });
  return { api, hub: new Hub(api), users: 0 };
}

function leave(key: string, shared: Shared): void {
  shared.users -= 1;
  if (shared.users > 0) return;
  all.delete(key);
  shared.hub.close();
}
