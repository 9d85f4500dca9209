/** Who wants to be told of something. */

export type Unsubscribe = () => void;

export class Listeners<Event> {
  readonly #all = new Set<(event: Event) => void>();

  /** Call this at each event, until the function that is returned is called. */
  add(listener: (event: Event) => void): Unsubscribe {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  tell(event: Event): void {
    for (const listener of [...this.#all]) listener(event);
  }
}
