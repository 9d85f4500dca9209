/** What is shown where our own script has failed: that it has, and a way out, instead of half a page. */

import { Component, type ComponentChildren } from "preact";
import { Notice } from "./notice";

interface State {
  error: unknown;
}

export class Guard extends Component<{ children?: ComponentChildren }, State> {
  override state: State = { error: null };

  static override getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Notice
        tone="bad"
        isAlert
        actions={
          <button type="button" class="quiet" onClick={() => location.reload()}>
            Load the page again
          </button>
        }
      >
        <strong>This page has a fault.</strong> {error instanceof Error ? error.message : String(error)}
      </Notice>
    );
  }
}
