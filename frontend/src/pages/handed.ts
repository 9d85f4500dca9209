/** Values that one page hands to a command's form: behind `#`, where they reach no server and no log. */

const NAME = "with";

/** Return the address of a command's page with its form filled in. */
export function formAddress(root: string, command: string, values: Readonly<Record<string, unknown>>): string {
  return `${root}commands/${command}#${new URLSearchParams({ [NAME]: JSON.stringify(values) }).toString()}`;
}

/** Return the values in an address; none, if there are none that can be read. */
export function valuesIn(hash: string): Readonly<Record<string, unknown>> {
  const text = new URLSearchParams(hash.replace(/^#/, "")).get(NAME);
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // somebody has cut the address
  }
}
