/// <reference types="vitest/config" />
import { defineConfig } from "vite";

// The bundle goes into the Python package. Its files are named by their content, so browsers may keep them for ever;
// `manifest.json` tells the server what they are called. Addresses are relative: the page works under any prefix.
export default defineConfig({
  base: "./",
  publicDir: false,
  build: {
    outDir: "../src/tailrace/web/page/built",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0, // a file has an address that the page's policy allows
    manifest: "manifest.json",
    target: "es2022",
    // Lower ones would have light-dark() rewritten so that it follows no `color-scheme` but that of our own sheets: wrong
    // in a custom element on somebody else's page.
    cssTarget: ["chrome123", "firefox128", "safari18"],
    modulePreload: { polyfill: false }, // it is an inline script
    rolldownOptions: {
      input: { page: "src/page.tsx", element: "src/element/element.ts" },
    },
  },
  // The development server serves the page of `tests/log` alone, which a browser tries while other tests bundle the sources:
  // it must not be loaded anew half way, and needs no package.
  server: { hmr: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
