/** A real Chromium, spoken to over a pipe in its own protocol (CDP): as much of it as these tests need. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--remote-debugging-pipe",
];

interface Answer {
  id?: number;
  result?: { [name: string]: unknown };
  error?: { message: string };
}

export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #to: Writable;
  #number = 0;
  #held = "";

  constructor() {
    const path = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium";
    if (!existsSync(path)) throw new Error(`these tests need a browser: there is no ${path}; set CHROMIUM_BIN`);
    this.#profile = mkdtempSync(join(tmpdir(), "tailrace-chromium-"));
    const flags = [...FLAGS, `--user-data-dir=${this.#profile}`, "about:blank"];
    this.#child = spawn(path, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.#to = this.#child.stdio[3] as Writable; // that is what "pipe" makes of it
    const from = this.#child.stdio[4] as Readable;
    from.setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  /** Open an address in a tab of its own. */
  async open(url: string): Promise<Tab> {
    const target = await this.ask("Target.createTarget", { url });
    const session = await this.ask("Target.attachToTarget", { targetId: target["targetId"], flatten: true });
    return new Tab(this, String(target["targetId"]), String(session["sessionId"]));
  }

  async ask(method: string, params: object = {}, sessionId?: string): Promise<{ [name: string]: unknown }> {
    this.#number += 1;
    const id = this.#number;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    const { result, error } = await answer;
    if (error !== undefined || result === undefined) throw new Error(`${method}: ${error?.message}`);
    return result;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#to.write(`${JSON.stringify({ id: 0, method: "Browser.close" })}\0`);
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 5000))]);
    this.#child.kill("SIGKILL");
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(text: string): void {
    const messages = (this.#held + text).split("\0");
    this.#held = messages.pop() ?? "";
    for (const message of messages) {
      const answer: Answer = JSON.parse(message);
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    }
  }
}

export class Tab {
  readonly #chromium: Chromium;
  readonly #target: string;
  readonly #session: string;

  constructor(chromium: Chromium, target: string, session: string) {
    this.#chromium = chromium;
    this.#target = target;
    this.#session = session;
  }

  /** Return what an expression is, when it is settled. */
  async value(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#chromium.ask("Runtime.evaluate", params, this.#session);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return typeof result === "object" && result !== null && "value" in result ? result.value : undefined;
  }

  ask(method: string, params: object = {}): Promise<{ [name: string]: unknown }> {
    return this.#chromium.ask(method, params, this.#session);
  }

  async close(): Promise<void> {
    await this.#chromium.ask("Target.closeTarget", { targetId: this.#target });
  }
}
