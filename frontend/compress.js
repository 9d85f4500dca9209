/** Packs what has been bundled, once, as tight as it goes: the server sends these where a browser takes them. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const BUILT = new URL("../src/tailrace/web/page/built/", import.meta.url);
const SMALLEST = 512; // below, headers are most of it

for (const name of readdirSync(BUILT).filter((each) => /-[\w-]{8}\.(js|css|svg)$/.test(each))) {
  const data = readFileSync(new URL(name, BUILT));
  if (data.length < SMALLEST) continue;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  writeFileSync(new URL(`${name}.br`, BUILT), brotliCompressSync(data, quality));
  writeFileSync(new URL(`${name}.gz`, BUILT), gzipSync(data, { level: 9 }));
}
