/** One field of a command's form: its label, what it takes, what it is, and what is wrong with it. */

import type { ComponentChildren } from "preact";
import type { ParameterSchema } from "../../core/shapes";
import { sentence } from "../sentence";
import { choicesOf, type FieldKind, type FieldValue, kindOf } from "./values";

/** what is wrong with a field */
export interface Wrong {
  detail: string;
  hint: string;
}

interface Parts {
  /** that no other field of the page has */
  id: string;
  name: string;
  schema: ParameterSchema;
  isRequired: boolean;
  value: FieldValue;
  wrong: Wrong | undefined;
  change: (value: FieldValue) => void;
}

/** what every input of a field has */
interface Common {
  id: string;
  name: string;
  "aria-required": boolean;
  "aria-invalid": "true" | undefined;
  "aria-describedby": string | undefined;
}

export function Field(parts: Parts) {
  const { id, name, schema, isRequired, wrong } = parts;
  const title = schema.title ?? name;
  const told = [schema.description && `${id}-help`, wrong && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  const common: Common = {
    id,
    name,
    "aria-required": isRequired,
    "aria-invalid": wrong ? "true" : undefined,
    "aria-describedby": told,
  };
  const kind = kindOf(schema);
  const help = schema.description && (
    <p class="help" id={`${id}-help`}>
      {schema.description}
    </p>
  );
  const fault = wrong && (
    <p class="fault" id={`${id}-fault`}>
      {sentence(`${title} ${wrong.detail}`)} {sentence(wrong.hint)}
    </p>
  );
  if (kind === "choices")
    return (
      <Choices {...parts} common={common} title={title}>
        {help}
        {fault}
      </Choices>
    );
  if (kind === "yes")
    return (
      <Yes {...parts} common={common} title={title}>
        {help}
        {fault}
      </Yes>
    );
  return (
    <div class="field">
      <label for={id}>
        {title}
        {isRequired && schema.default === undefined && <Must />}
      </label>
      {help}
      {kind === "choice" ? <Choice {...parts} common={common} /> : <Text {...parts} common={common} kind={kind} />}
      {fault}
    </div>
  );
}

function Must() {
  return <span class="must"> (required)</span>;
}

type Inner = Parts & { common: Common };
type Titled = Inner & { title: string; children: ComponentChildren };

function Yes({ value, change, common, title, children }: Titled) {
  return (
    <div class="field">
      <label class="check">
        <input
          {...common}
          type="checkbox"
          checked={value === true}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        {title}
      </label>
      {children}
    </div>
  );
}

function Choices({ schema, value, change, common, title, children, name }: Titled) {
  const taken = typeof value === "object" ? value : [];
  const toggle = (choice: string, isOn: boolean) =>
    change(choicesOf(schema).filter((each) => (each === choice ? isOn : taken.includes(each))));
  return (
    <fieldset class="field" id={common.id} aria-describedby={common["aria-describedby"]}>
      <legend>{title}</legend>
      <div class="choices">
        {choicesOf(schema).map((choice) => (
          <label key={choice} class="check">
            <input
              type="checkbox"
              name={name}
              value={choice}
              checked={taken.includes(choice)}
              onChange={(event) => toggle(choice, event.currentTarget.checked)}
            />
            {choice}
          </label>
        ))}
      </div>
      {children}
    </fieldset>
  );
}

function Choice({ schema, value, change, common, isRequired }: Inner) {
  const hasNone = schema.default === undefined || !isRequired;
  return (
    <select {...common} value={String(value)} onChange={(event) => change(event.currentTarget.value)}>
      {hasNone && <option value="">{isRequired ? "choose…" : "–"}</option>}
      {choicesOf(schema).map((choice) => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  );
}

function Text({ schema, value, change, common, kind }: Inner & { kind: FieldKind }) {
  const example = schema.examples?.[0];
  const typed = {
    ...common,
    value: String(value),
    autocapitalize: "off" as const,
    autocomplete: kind === "secret" ? ("new-password" as const) : ("off" as const),
    spellcheck: false,
    ...(example !== undefined && { placeholder: `for example ${String(example)}` }),
    onInput: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value),
  };
  switch (kind) {
    case "lines":
      return <textarea {...typed} rows={4} />;
    case "secret":
      return <input {...typed} type="password" />;
    case "date":
      return <input {...typed} type="date" />;
    case "instant":
      return <input {...typed} type="datetime-local" />;
    case "whole":
      return <input {...typed} type="text" inputMode="numeric" />;
    case "number":
      return <input {...typed} type="text" inputMode="decimal" />;
    default:
      return <input {...typed} type="text" />;
  }
}
