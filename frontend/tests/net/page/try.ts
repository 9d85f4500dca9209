/** What the tests with a browser load: a feed and a document, at hand for whoever asks the tab. */

import { RunDocument } from "../../../src/log/document";
import { Api } from "../../../src/net/api";
import { openFeed } from "../../../src/net/feeds";

const api = new Api({ root: "/" });
const feed = openFeed(api);

class Seen {
  text = "";
  isOver = false;
  at = 0;
  problem = "";

  constructor(runId: string) {
    feed.follow(runId, 0, (news) => {
      if (news.kind === "end") this.isOver = true;
      if (news.kind !== "output") return;
      if (news.piece.offset !== this.at) this.problem ||= `${news.piece.offset} came behind ${this.at}`;
      this.at = news.end;
      this.text += news.piece.text;
    });
  }
}

Object.assign(globalThis, {
  feed,
  see: (runId: string) => new Seen(runId),
  open: (runId: string) => new RunDocument({ api, feed, runId }),
});
