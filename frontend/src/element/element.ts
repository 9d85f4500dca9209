/** The file that a page of anybody's loads: it makes `<tailrace-output>` known. */

import { TailraceOutput } from "./output";

if (!customElements.get("tailrace-output")) customElements.define("tailrace-output", TailraceOutput);
