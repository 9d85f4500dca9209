/** Where a client stands in each of several runs, as the id of an event of `api/events` tells it:
 * `<check>/<offset>,<offset>…`, in the order of the query, hexadecimal, with a `.` behind it when the run's end was told.
 * So every event says up to which byte each run has come, also where its text has U+FFFD for bytes that are none. */

export interface Place {
  offset: number;
  isEnd: boolean;
}

const SHAPE = /^[0-9a-f]+\/((?:[0-9a-f]{1,16}\.?(?:,(?!$)|$))*)$/;

/** Return the places; null: this is no such id. */
export function placesOf(id: string): Place[] | null {
  const match = SHAPE.exec(id);
  if (match === null) return null;
  const list = match[1] ?? "";
  if (list === "") return [];
  return list.split(",").map((each) => ({ offset: Number.parseInt(each, 16), isEnd: each.endsWith(".") }));
}
