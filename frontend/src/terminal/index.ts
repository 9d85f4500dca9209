/** The terminal, in a file of its own: it is fetched when somebody wants to see one. */

export { TerminalPanel } from "./panel";
