/** The worker that all tabs of a browser share: it holds the connection. */

import { Harbour } from "./harbour";

const harbour = new Harbour();
addEventListener("connect", (event) => {
  for (const port of event instanceof MessageEvent ? event.ports : []) harbour.enter(port);
});
addEventListener("online", () => harbour.wake());
