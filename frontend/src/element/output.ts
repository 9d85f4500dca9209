/** `<tailrace-output src="…">`: a run on anybody's page, in one line of HTML.
 *
 * `src` is the address of a run: its page's, or the API's. From another origin, that must be in the server's
 * `cors_origins`, and a `token` (an attribute, or a property, which no markup shows) lets the page in where that is needed. Whatever the page's own style sheets and policy
 * say, this looks as it should: it lives in a shadow root, with constructed style sheets.
 *
 * Attributes: `src`, `token`, `wrap`, `times` (`clock`, `start`, `previous`), `numbers="off"`, `follow="off"`, `bare`
 * (no line above the output). Events: `state` at each change of the run's state, `end` when it is over; both carry the
 * run as `detail`.
 */

import type { Times } from "../core/clock";
import type { Run } from "../core/shapes";
import { nameOf, standing, toneOf } from "../core/words";
import { RunDocument } from "../log/document";
import { LogView } from "../log/view";
import viewSheet from "../log/view.css?inline";
import { messageOf } from "../net/api";
import type { Connection } from "../net/feed";
import { type RunAddress, runAddress } from "./address";
import ownSheet from "./element.css?inline";
import { hubFor } from "./hubs";

const TIMES: readonly string[] = ["clock", "start", "previous"] satisfies Times[];

export class TailraceOutput extends HTMLElement {
  static readonly observedAttributes = ["src", "token", "wrap", "times", "numbers", "follow"];

  readonly #shadow = this.attachShadow({ mode: "open" });
  /** as a script has given it, which no markup shows; null: the attribute counts */
  #token: string | null = null;
  readonly #frame = made("div", "frame");
  readonly #name = made("span", "name");
  readonly #state = made("span", "state");
  readonly #trouble = made("span", "trouble");
  readonly #link = made("a", "link");
  readonly #place = made("div", "place");
  #view: LogView | null = null;
  #ends: (() => void)[] = [];
  #told = "";
  #run: Run | null = null;

  constructor() {
    super();
    this.#shadow.adoptedStyleSheets = [viewSheet, ownSheet].map(sheetOf);
    const bar = made("div", "bar");
    this.#state.setAttribute("role", "status");
    this.#trouble.setAttribute("role", "status");
    this.#link.textContent = "Open";
    this.#link.target = "_blank";
    this.#link.rel = "noopener";
    bar.append(this.#name, this.#state, this.#trouble, this.#link);
    this.#frame.append(bar, this.#place);
    this.#shadow.append(this.#frame);
  }

  /** The run as last told; null before that. */
  get run(): Run | null {
    return this.#run;
  }

  /** What lets the page in: sent as `Authorization: Bearer`, never in an address. Given here, it is in no markup. */
  get token(): string | null {
    return this.#token ?? this.getAttribute("token");
  }

  set token(token: string | null) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.isConnected) this.#begin();
  }

  connectedCallback(): void {
    this.#takeEarlyToken();
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.isConnected || before === after) return;
    if (name === "src" || name === "token") this.#begin();
    else this.#view?.setOptions(this.#options());
  }

  /** A script may have given it before this class was known: then it is a plain property, which hides the accessor. */
  #takeEarlyToken(): void {
    const early: unknown = Object.getOwnPropertyDescriptor(this, "token")?.value;
    if (typeof early !== "string") return;
    Reflect.deleteProperty(this, "token");
    this.#token = early;
  }

  #begin(): void {
    this.#end();
    const src = this.getAttribute("src");
    if (!src) return;
    const address = runAddress(src, document.baseURI);
    if (address) this.#show(address);
    else this.#failed(`${src} is not the address of a run: give that of its page, or …/api/runs/ID.`);
  }

  #show({ root, runId }: RunAddress): void {
    const { api, hub, release } = hubFor(root, this.token);
    const source = new RunDocument({ api, feed: hub, runId });
    this.#link.href = `${root}runs/${runId}`;
    this.#view = new LogView(this.#place, source, this.#options());
    this.#ends = [
      () => this.#view?.dispose(),
      source.onRun((run) => this.#runTold(run)),
      source.on((event) => {
        if (event.kind === "failed") this.#tellTrouble(event.message);
      }),
      hub.onConnection((connection) => {
        this.#tellTrouble(wordsOf(connection));
      }),
      () => source.close(),
      release,
    ];
    api.run(runId).catch((error: unknown) => {
      this.#tellTrouble(messageOf(error));
    });
  }

  /** Tell what is wrong, or that nothing is. A browser does not say that a server refuses a page: where nothing has ever
   * come from another origin's, that may be it. */
  #tellTrouble(words: string): void {
    const isForeign = new URL(this.#link.href).origin !== location.origin;
    const isUnheard = words !== "" && isForeign && this.#run === null;
    this.#trouble.textContent = isUnheard ? `${words}. ${refusal(location.origin)}` : words;
  }

  #end(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#view = null;
    this.#run = null;
    this.#told = "";
    this.#place.replaceChildren();
    for (const each of [this.#name, this.#state, this.#trouble]) each.textContent = "";
  }

  #runTold(run: Run): void {
    this.#run = run;
    this.#name.textContent = nameOf(run);
    this.#state.textContent = standing(run);
    this.#state.dataset["tone"] = toneOf(run);
    if (run.state === this.#told) return;
    this.#told = run.state;
    this.dispatchEvent(new CustomEvent("state", { detail: run }));
    if (run.state === "finished") this.dispatchEvent(new CustomEvent("end", { detail: run }));
  }

  #failed(words: string): void {
    const failure = made("p", "failure");
    failure.textContent = words;
    this.#place.replaceChildren(failure);
  }

  #options() {
    const times = this.getAttribute("times") ?? "";
    return {
      wrap: this.hasAttribute("wrap"),
      numbers: this.getAttribute("numbers") !== "off",
      follow: this.getAttribute("follow") !== "off",
      times: TIMES.includes(times) ? (times as Times) : "none",
      permalink: (line: number) => `${this.#link.href}#L${line}`,
    } as const;
  }
}

function made<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name: string): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

function refusal(origin: string): string {
  return `If it runs, it may not list ${origin} in its cors_origins.`;
}

function wordsOf(connection: Connection): string {
  if (connection.state === "waiting") return `Reconnecting: ${connection.why}`;
  return connection.state === "refused" ? connection.why : "";
}
