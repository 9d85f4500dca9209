/** A terminal on the page: xterm.js, with our looks, and without what a command should not be able to do to a reader. */

import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import "./terminal.css";
import { safe } from "../core/links";
import { openUnderPolicy } from "./policy";

export const FONT_SIZE_PX = 13;
const SCROLLBACK_LINES = 5000;
const DARK = "(prefers-color-scheme: dark)";
/** The sixteen colours, in the order of their numbers. */
const NAMES = [
  ...(["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const),
  ...(["brightBlack", "brightRed", "brightGreen", "brightYellow"] as const),
  ...(["brightBlue", "brightMagenta", "brightCyan", "brightWhite"] as const),
];

export interface ScreenOptions {
  rows: number;
  columns: number;
  /** LF alone moves to the line's begin, too: for what was written to a pipe */
  isPipe: boolean;
  isReadOnly: boolean;
}

/** Make a terminal in the element. What the command asks of it is answered only while `answers` says so: every other
 * viewer would answer as well, and so would each look at what was asked long ago. */
export function screenIn(host: HTMLElement, options: ScreenOptions, answers: () => boolean): Terminal {
  const terminal = new Terminal({
    rows: options.rows,
    cols: options.columns,
    convertEol: options.isPipe,
    disableStdin: options.isReadOnly,
    cursorBlink: false,
    logLevel: "off", // else each byte that a terminal knows nothing about is an error in the console
    fontFamily: getComputedStyle(host).getPropertyValue("--mono").trim() || "ui-monospace, monospace",
    fontSize: FONT_SIZE_PX,
    linkHandler: { activate: (_event, address) => follow(address) },
    minimumContrastRatio: 4.5,
    scrollback: SCROLLBACK_LINES,
    theme: themeOf(host),
  });
  silence(terminal, answers);
  terminal.attachCustomKeyEventHandler((event) => isForTerminal(terminal, event));
  openUnderPolicy(() => terminal.open(host));
  matchMedia(DARK).addEventListener("change", () => {
    terminal.options.theme = themeOf(host);
  });
  return terminal;
}

function themeOf(host: HTMLElement): Record<string, string> {
  const style = getComputedStyle(host);
  const colour = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  const isDark = matchMedia(DARK).matches;
  const theme: Record<string, string> = {
    background: colour("--screen", isDark ? "#14171a" : "#ffffff"),
    foreground: colour("--ink", isDark ? "#e3e6e8" : "#1b1f23"),
    selectionBackground: isDark ? "#34507a" : "#b6d4fb",
  };
  NAMES.forEach((name, index) => {
    const value = style.getPropertyValue(`--ansi-${index}`).trim();
    if (value) theme[name] = value;
  });
  theme["cursor"] = theme["foreground"] ?? "";
  return theme;
}

function follow(address: string): void {
  const href = safe(address);
  if (href) window.open(href, "_blank", "noopener,noreferrer");
}

/** Swallow questions: reports of the status, the attributes, the modes, the settings, the colours. */
function silence(terminal: Terminal, answers: () => boolean): void {
  const swallow = () => !answers();
  for (const id of [
    { final: "n" },
    { prefix: "?", final: "n" },
    { final: "c" },
    { prefix: ">", final: "c" },
    { prefix: "=", final: "c" },
    { prefix: ">", final: "q" },
    { intermediates: "$", final: "p" },
    { prefix: "?", intermediates: "$", final: "p" },
    { final: "t" },
  ])
    terminal.parser.registerCsiHandler(id, swallow);
  terminal.parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow);
  terminal.parser.registerDcsHandler({ intermediates: "+", final: "q" }, swallow);
  for (const code of [4, 10, 11, 12])
    terminal.parser.registerOscHandler(code, (text) => text.includes("?") && !answers());
  // titles, the clipboard, notifications: none of a command's business here
  for (const code of [0, 1, 2, 9, 52, 777]) terminal.parser.registerOscHandler(code, () => true);
}

/** Shift+Escape leaves the terminal, so that nobody is kept in it; ^C copies if something is selected. */
function isForTerminal(terminal: Terminal, event: KeyboardEvent): boolean {
  if (event.type !== "keydown") return true;
  if (event.key === "Escape" && event.shiftKey) {
    terminal.blur();
    return false;
  }
  const isCopy = event.ctrlKey && event.key.toLowerCase() === "c" && (event.shiftKey || terminal.hasSelection());
  if (isCopy) {
    event.preventDefault();
    void navigator.clipboard?.writeText(terminal.getSelection());
    terminal.clearSelection();
    return false;
  }
  // the browser pastes, and xterm.js gets that as an event
  return !(event.ctrlKey && event.shiftKey && event.key.toLowerCase() === "v");
}
