/** What the pages need of the server: its calls, and what happens on it. */

import type { Api } from "../net/api";
import type { Feed } from "../net/feed";

export interface Server {
  api: Api;
  feed: Feed;
}
