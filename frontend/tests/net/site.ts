/** A site that serves the tests' page and passes on what is for the server, as a proxy in front of it would; it counts
 * who asks for what, and can cut connections. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";

const CSP = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'";

export class Site {
  /** streams of events that are open */
  readonly streams = new Set<ServerResponse>();
  asked = 0;
  /** what was asked for last, of them */
  last = "";
  port = 0;
  readonly #server: Server;
  readonly #built: string;

  private constructor(built: string, to: number) {
    this.#built = built;
    this.#server = createServer((asked, answer) => {
      const url = asked.url ?? "/";
      if (!url.startsWith("/api/")) return this.#file(url, answer);
      const isStream = url.startsWith("/api/events");
      const passed = request({ port: to, path: url, method: asked.method, headers: asked.headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        answer.flushHeaders();
        got.pipe(answer);
        got.on("error", () => answer.destroy());
      });
      if (isStream) {
        this.asked += 1;
        this.last = url;
        this.streams.add(answer);
      }
      passed.on("error", () => answer.destroy());
      answer.on("close", () => {
        this.streams.delete(answer);
        passed.destroy();
      });
      asked.pipe(passed);
    });
  }

  static async begin(to: number): Promise<Site> {
    const built = mkdtempSync(join(tmpdir(), "tailrace-built-"));
    await build({
      configFile: resolve(import.meta.dirname, "../../vite.config.ts"),
      logLevel: "error",
      build: { outDir: built, rolldownOptions: { input: { try: resolve(import.meta.dirname, "page/try.ts") } } },
    });
    const site = new Site(built, to);
    await new Promise<void>((listening) => site.#server.listen(0, "127.0.0.1", listening));
    const address = site.#server.address();
    site.port = typeof address === "object" && address !== null ? address.port : 0;
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Cut all streams, in the middle of whatever they say. */
  cut(): void {
    for (const stream of this.streams) stream.destroy();
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#built, { recursive: true, force: true });
  }

  #file(url: string, answer: ServerResponse): void {
    const manifest: Record<string, { file: string }> = JSON.parse(
      readFileSync(join(this.#built, "manifest.json"), "utf8"),
    );
    const script = Object.values(manifest).find((each) => /^try/.test(each.file))?.file;
    const isScript = url.endsWith(".js");
    answer.setHeader("Content-Security-Policy", CSP);
    answer.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    answer.end(
      isScript
        ? readFileSync(join(this.#built, url))
        : `<!doctype html><script type="module" src="/${script}"></script>`,
    );
  }
}
