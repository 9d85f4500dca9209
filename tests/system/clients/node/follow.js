// follow.js URL: prints what the events of a stream carry, one JSON text a line, reconnecting as EventSource does.
import { EventSource } from "eventsource";

const source = new EventSource(process.argv[2]);
const tell = (what) => console.log(JSON.stringify(what));

source.onmessage = (event) => tell({ text: event.data + "\n", id: event.lastEventId });
source.addEventListener("output", (event) => tell({ text: JSON.parse(event.data).text, id: event.lastEventId }));
source.addEventListener("end", () => tell({ end: true }));
source.onerror = (event) => tell({ state: source.readyState, code: event.code ?? null });
