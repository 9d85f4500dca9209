/** The log view as a part of a page. */

import { useEffect, useRef } from "preact/hooks";
import type { Source } from "../../log/source";
import { type LogEvent, type LogOptions, LogView } from "../../log/view";

interface Parts {
  source: Source;
  /** what it begins with; later changes go by `setOptions` of the view */
  options: Partial<LogOptions>;
  /** the view is there; it returns what is to be done when it goes */
  ready: (view: LogView) => (() => void) | undefined;
  heard?: (event: LogEvent) => void;
}

export function LogPane({ source, options, ready, heard }: Parts) {
  const host = useRef<HTMLDivElement>(null);
  const hear = useRef(heard);
  hear.current = heard;
  // a view lives as long as its source
  useEffect(() => {
    if (host.current === null) return undefined;
    const view = new LogView(host.current, source, options);
    const off = view.on((event) => hear.current?.(event));
    const end = ready(view);
    return () => {
      end?.();
      off();
      view.dispose();
    };
  }, [source]);
  return <div class="log-pane" ref={host} />;
}
