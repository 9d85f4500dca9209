import { expect, test } from "vitest";
import { runAddress } from "../../src/element/address";

const BASE = "https://page.example/docs/";

test.each([
  ["https://ops.example/ops/runs/1k17", "https://ops.example/ops/", "1k17"],
  ["https://ops.example/runs/1k17", "https://ops.example/", "1k17"],
  ["https://ops.example/ops/api/runs/1k17", "https://ops.example/ops/", "1k17"],
  ["/ops/api/runs/1k17/output?format=text", "https://page.example/ops/", "1k17"],
  ["runs/1k17/", "https://page.example/docs/", "1k17"],
  ["/ops/runs/1k17#L5", "https://page.example/ops/", "1k17"],
])("%s", (src, root, runId) => expect(runAddress(src, BASE)).toEqual({ root, runId }));

test.each(["/ops/", "javascript:runs/1k17", "/ops/runs/", "/ops/runs/../x", "/runs/1K17", "http://"])(
  "%s is none",
  (src) => expect(runAddress(src, BASE)).toBeNull(),
);
