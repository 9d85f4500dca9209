import { beforeEach, expect, test, vi } from "vitest";
import type { Piece } from "../../src/core/shapes";
import { MOST_AT_ONCE, Player, type Screen, type Tape } from "../../src/terminal/player";

class Shown implements Screen {
  text = "";
  reset(): void {
    this.text = "";
  }
  resize(rows: number, columns: number): void {
    this.text += `[${columns}x${rows}]`;
  }
  async write(text: string): Promise<void> {
    this.text += text;
  }
}

class Taped implements Tape {
  readonly read_from: number[] = [];
  constructor(
    private readonly pieces: Piece[],
    private readonly offset = 0,
  ) {}
  async *read(offset: number, signal: AbortSignal): AsyncGenerator<Piece> {
    this.read_from.push(offset);
    for (const piece of this.pieces) {
      if (signal.aborted) return;
      if (piece.offset >= offset) yield piece;
    }
  }
  async offsetAt(): Promise<number> {
    return this.offset;
  }
}

const PIECES = [0, 1, 5, 100].map((time, at): Piece => ({ offset: at * 2, time, stream: "stdout", text: `${time};` }));

let screen: Shown;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  screen = new Shown();
});

const pass = (seconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(seconds * 1000);

test("a piece is shown at its time", async () => {
  const player = new Player(screen, new Taped(PIECES));
  player.skipsSilence = false;
  await player.seek(0);
  player.play();
  await pass(0.5);
  expect(screen.text).toBe("0;");
  await pass(1);
  expect(screen.text).toBe("0;1;");
  expect(player.state.position).toBeCloseTo(1.5);
});

test("the screen has the size that the terminal had", async () => {
  const pieces = PIECES.map((piece, at) => (at === 1 ? { ...piece, rows: 24, columns: 80 } : piece));
  const player = new Player(screen, new Taped(pieces));
  await player.seek(5);
  await pass(0.1);
  expect(screen.text).toBe("0;[80x24]1;5;");
});

test("the speed changes while it plays", async () => {
  const player = new Player(screen, new Taped(PIECES));
  player.skipsSilence = false;
  await player.seek(0);
  player.play();
  await pass(2);
  player.speed = 10;
  await pass(0.31);
  expect(screen.text).toBe("0;1;5;");
});

test("a pause shows nothing more", async () => {
  const player = new Player(screen, new Taped(PIECES));
  await player.seek(0);
  player.play();
  await pass(0.5);
  player.pause();
  await pass(1000);
  expect(screen.text).toBe("0;");
  expect(player.state).toMatchObject({ isPlaying: false });
  expect(player.state.position).toBeCloseTo(0.5);
});

test("a long silence is played in a second", async () => {
  const player = new Player(screen, new Taped(PIECES));
  await player.seek(5);
  player.play();
  await pass(1.1);
  expect(screen.text).toBe("0;1;5;100;");
  expect(player.state).toMatchObject({ isAtEnd: true, isPlaying: false });
});

test("a jump shows what there was, without waiting", async () => {
  const player = new Player(screen, new Taped(PIECES));
  await player.seek(1);
  await pass(0);
  expect(screen.text).toBe("0;1;");
  await player.seek(5);
  await pass(0);
  expect(screen.text).toBe("0;1;5;");
  await player.seek(1);
  await pass(0);
  expect(screen.text).toBe("0;1;");
  expect(player.state).toMatchObject({ position: 1, isSeeking: false });
});

test("a jump to a moment far on begins shortly before it", async () => {
  const tape = new Taped(PIECES, MOST_AT_ONCE + 1000);
  await new Player(screen, tape).seek(5);
  await pass(0);
  expect(tape.read_from).toEqual([1000]);
});

test("playing at the end begins again", async () => {
  const player = new Player(screen, new Taped(PIECES));
  await player.seek(1000);
  await pass(0);
  expect(player.state.isAtEnd).toBe(true);
  player.play();
  await pass(0.5);
  expect(screen.text).toBe("0;");
  expect(player.state.isPlaying).toBe(true);
});

test("what cannot be read is told", async () => {
  const tape: Tape = {
    // biome-ignore lint/correctness/useYield: it fails before
    async *read(): AsyncGenerator<Piece> {
      throw new Error("lost");
    },
    offsetAt: async () => 0,
  };
  const player = new Player(screen, tape);
  await player.seek(0);
  await pass(0);
  expect(player.state).toMatchObject({ failure: "lost", isPlaying: false });
});
