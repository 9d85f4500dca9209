/** A page to try the log view: `npx vite tests/log`, then `/try.html?count=1000000&rate=1000&wrap&times=clock`. */

import { columnsIn } from "../../src/core/rows";
import { LogView } from "../../src/log/view";
import { RowsSource } from "./rows-source";

const query = new URLSearchParams(location.search);
const numberOf = (name: string, usual: number) => Number(query.get(name) ?? usual);
const source = new RowsSource({
  count: numberOf("count", 100_000_000),
  latency: numberOf("latency", 0),
  rate: numberOf("rate", 0),
  wrongBy: query.has("wrong") ? numberOf("wrong", 0) : null,
  isComplete: !query.has("goes"),
});
const times = ["clock", "start", "previous"].find((name) => name === query.get("times")) as
  | "clock"
  | "start"
  | "previous"
  | undefined;
const host = document.querySelector<HTMLElement>("#host");
if (host !== null) {
  const place = query.has("shadow") ? host.attachShadow({ mode: "open" }) : host;
  if (place instanceof ShadowRoot) await dress(place);
  const inner = document.createElement("div");
  inner.style.height = "100%";
  place.append(inner);
  const view = new LogView(inner, source, {
    wrap: query.has("wrap"),
    times: times ?? "none",
    label: "Output of the try",
  });
  const events: unknown[] = [];
  view.on((event) => events.push(event));
  Object.assign(window, { view, source, events, columnsIn });
}

async function dress(root: ShadowRoot): Promise<void> {
  const { default: text } = await import("../../src/log/view.css?inline");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  root.adoptedStyleSheets = [sheet];
}
