/** A real `tailrace serve`, with commands of its own and a state directory that goes with it. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "../../src/net/api";

const COMMANDS = `
[server]
auth = "none"
access_log = true
[commands.sh]
argv = ["python3", "-c", "{program}"]
stdin = true
[commands.sh.parameters.program]
type = "text"
allow_newlines = true
[commands.little]
argv = ["seq", "1", "5000"]
max_output = "4KiB"
on_max_output = "truncate"
[commands.count]
title = "Count"
argv = ["seq", "1", "{n}"]
[commands.count.parameters.n]
type = "integer"
minimum = 1
default = 100
`;

function executable(): string {
  const found = process.env["TAILRACE_BIN"] ?? join(import.meta.dirname, "../../../.venv/bin/tailrace");
  if (!existsSync(found))
    throw new Error(`these tests need a server: there is no ${found}; install one there, or set TAILRACE_BIN`);
  return found;
}

export class TestServer {
  readonly port: number;
  readonly directory: string;
  log = "";
  #child: ChildProcess | null = null;

  private constructor(port: number) {
    this.port = port;
    this.directory = mkdtempSync(join(tmpdir(), "tailrace-net-"));
    writeFileSync(join(this.directory, "tailrace.toml"), COMMANDS);
  }

  static async begin(): Promise<TestServer> {
    const server = new TestServer(await freePort());
    await server.start();
    return server;
  }

  get root(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get api(): Api {
    return new Api({ root: this.root });
  }

  async start(): Promise<void> {
    const args = ["serve", "tailrace.toml", "--port", String(this.port), "--state-dir", join(this.directory, "state")];
    const child = spawn(executable(), args, { cwd: this.directory, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (data: Buffer) => {
      this.log += data.toString();
    });
    this.#child = child;
    await until(async () => (await fetch(`${this.root}readyz`).catch(() => null))?.ok === true, 20_000);
  }

  /** As a crash would: at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    this.#child = null;
  }

  async end(): Promise<void> {
    if (this.#child !== null) {
      const going = ["queued", "starting", "running", "stopping"];
      for (const run of (await this.api.runs({ limit: 200 })).runs)
        if (going.includes(run.state)) await this.api.stop(run.id, { now: true }).catch(() => undefined);
      const isOver = async () => (await this.api.runs({ limit: 200 })).runs.every((run) => !going.includes(run.state));
      await until(isOver, 20_000);
    }
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Start a program in Python; it has `sys`, `os` and `time`, and its output is not buffered. */
  async python(program: string): Promise<string> {
    const run = await this.api.start("sh", { program: `import sys, os, time\n${program}` });
    return run.id;
  }

  async text(runId: string): Promise<string> {
    return (await fetch(`${this.root}api/runs/${runId}/output?format=text`)).text();
  }
}

export async function until(holds: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`this did not come about in ${deadlineMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
