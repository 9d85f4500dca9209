/** The form that starts a command. */

import { useRef, useState } from "preact/hooks";
import type { Command, Run } from "../../core/shapes";
import type { Api } from "../../net/api";
import { ApiProblem } from "../../net/problem";
import { announce } from "../announce";
import { Fault } from "../faults";
import { sentence } from "../sentence";
import { Busy, isBusy } from "./busy";
import { Field, type Wrong } from "./field";
import { type FieldValues, initialValues, sent, withoutSecrets } from "./values";

interface Parts {
  command: Command;
  api: Api;
  /** values to begin with, instead of the defaults */
  known?: Readonly<Record<string, unknown>> | undefined;
  /** what is wrong with them */
  wrong?: ReadonlyMap<string, Wrong> | undefined;
  /** where a run is looked at */
  lead: (run: Run) => void;
}

const NOTHING: ReadonlyMap<string, Wrong> = new Map();

/** Return where the form of a command is, so that a button elsewhere can send it. */
export function formId(command: Command): string {
  return `form-${command.name}`;
}

export function StartForm({ command, api, known, wrong: wrongAtFirst = NOTHING, lead }: Parts) {
  const [values, setValues] = useState<FieldValues>(() => initialValues(command, known));
  const [wrong, setWrong] = useState(wrongAtFirst);
  const [fault, setFault] = useState<unknown>(null);
  const [isStarting, setStarting] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const fields = Object.entries(command.parameters.properties);

  const start = async () => {
    setStarting(true);
    setFault(null);
    setWrong(NOTHING);
    try {
      const run = await api.start(command.name, sent(command, values));
      setValues(withoutSecrets(command, values)); // browsers keep pages as they were left
      lead(run);
    } catch (error) {
      const errors = error instanceof ApiProblem ? error.errors : NOTHING;
      setWrong(errors);
      if (!fields.some(([name]) => errors.has(name))) setFault(error);
      else announce("It was not started: something is wrong with what was filled in");
      requestAnimationFrame(() => showFirst(form.current));
    } finally {
      setStarting(false);
    }
  };

  return (
    <form
      id={formId(command)}
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isStarting) void start();
      }}
    >
      {fields.map(([name, schema]) => (
        <Field
          key={name}
          id={`${command.name}-${name}`}
          name={name}
          schema={schema}
          isRequired={command.parameters.required.includes(name)}
          value={values[name] ?? ""}
          wrong={wrong.get(name)}
          change={(value) => setValues((before) => ({ ...before, [name]: value }))}
        />
      ))}
      {[...wrong]
        .filter(([name]) => !(name in command.parameters.properties))
        .map(([name, each]) => (
          <p key={name} class="fault">
            {sentence(`${name} ${each.detail}`)} {sentence(each.hint)}
          </p>
        ))}
      {isBusy(fault) ? <Busy problem={fault} again={() => void start()} /> : fault !== null && <Fault error={fault} />}
      <button type="submit" class="start" disabled={isStarting} aria-label={`Start ${command.title || command.name}`}>
        {isStarting ? "Starting…" : "Start"}
      </button>
    </form>
  );
}

function showFirst(form: HTMLFormElement | null): void {
  form?.querySelector<HTMLElement>("[aria-invalid='true'], fieldset:has(.fault) input")?.focus();
}
