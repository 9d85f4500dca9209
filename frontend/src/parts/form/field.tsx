/** One field of a command's form: its label, what it takes, what it is, and what is wrong with it. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ParameterSchema } from "../../core/shapes";
import { size } from "../../core/words";
import { sentence } from "../sentence";
import { doubtOf, hintOf } from "./hints";
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
  /** whoever goes on to another field has filled this one in, and is told what looks wrong with it */
  onBlur: (event: FocusEvent) => void;
}

export function Field(parts: Parts) {
  const { id, name, schema, isRequired, value, wrong } = parts;
  const [isLeft, setLeft] = useState(false);
  const title = schema.title ?? name;
  const words = [schema.description && sentence(schema.description), hintOf(schema)].filter(Boolean).join(" ");
  const doubt = isLeft && !wrong ? doubtOf(schema, value) : "";
  const told = [wrong && `${id}-fault`, doubt && `${id}-doubt`, words && `${id}-help`].filter(Boolean).join(" ");
  const common: Common = {
    id,
    name,
    "aria-required": isRequired,
    "aria-invalid": wrong ? "true" : undefined,
    "aria-describedby": told || undefined,
    // not on the way to a button, which would move away from under the pointer
    onBlur: ({ relatedTarget }) => isField(relatedTarget) && setLeft(true),
  };
  const kind = kindOf(schema);
  const isMust = isRequired && schema.default === undefined;
  const heading = (
    <>
      {title}
      {isMust && <Must />}
    </>
  );
  const help = words !== "" && (
    <p class="help" id={`${id}-help`}>
      {words}
    </p>
  );
  const fault = wrong && (
    <p class="fault" id={`${id}-fault`}>
      {schema.title ? sentence(`${title} ${wrong.detail}`) : `${name} ${wrong.detail}.`} {sentence(wrong.hint)}
    </p>
  );
  const doubted = doubt !== "" && (
    <p class="doubt" id={`${id}-doubt`}>
      {doubt}
    </p>
  );
  if (kind === "choices")
    return (
      <Choices {...parts} common={common} heading={heading} help={help}>
        {fault}
      </Choices>
    );
  if (kind === "yes")
    return (
      <Yes {...parts} common={common} heading={title}>
        {help}
        {fault}
      </Yes>
    );
  return (
    <div class="field">
      <label for={id}>{heading}</label>
      {help}
      <Input {...parts} common={common} kind={kind} />
      {fault}
      {doubted}
    </div>
  );
}

function Input({ kind, ...parts }: Inner & { kind: FieldKind }) {
  if (kind === "choice") return <Choice {...parts} />;
  return kind === "file" ? <Upload {...parts} /> : <Text {...parts} kind={kind} />;
}

function isField(at: EventTarget | null): boolean {
  return at instanceof Element && at.matches("input, select, textarea");
}

function Must() {
  return <span class="must"> (required)</span>;
}

type Inner = Parts & { common: Common };
type Titled = Inner & { heading: ComponentChildren; children: ComponentChildren };

function Yes({ value, change, common, heading, children }: Titled) {
  return (
    <div class="field">
      <label class="check">
        <input
          {...common}
          type="checkbox"
          checked={value === true}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        {heading}
      </label>
      {children}
    </div>
  );
}

function Choices({
  schema,
  value,
  change,
  common,
  heading,
  help,
  children,
  name,
}: Titled & { help: ComponentChildren }) {
  const taken = typeof value === "object" && !(value instanceof File) ? value : [];
  const toggle = (choice: string, isOn: boolean) =>
    change(choicesOf(schema).filter((each) => (each === choice ? isOn : taken.includes(each))));
  return (
    <fieldset class="field" id={common.id} aria-describedby={common["aria-describedby"]}>
      <legend>{heading}</legend>
      {help}
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
  const hasNone = (schema.default === undefined || !isRequired) && !choicesOf(schema).includes("");
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

/** A file is chosen anew each time: no page can fill it in. */
function Upload({ schema, value, change, common }: Inner) {
  return (
    <>
      <input
        {...common}
        type="file"
        accept={schema.accept?.join(",")}
        onChange={(event) => change(event.currentTarget.files?.[0] ?? "")}
      />
      {value instanceof File && <p class="help">{size(value.size)}</p>}
    </>
  );
}

function Text({ schema, value, change, common, kind }: Inner & { kind: FieldKind }) {
  const example = schema.examples?.[0];
  const typed = {
    ...common,
    value: String(value),
    autocapitalize: "off" as const,
    autocomplete: kind === "secret" ? ("new-password" as const) : ("off" as const), // a secret is not to be remembered
    spellcheck: false,
    ...(example !== undefined && { placeholder: `for example ${String(example)}` }),
    onInput: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value),
  };
  switch (kind) {
    case "lines":
      return <textarea {...typed} rows={4} />;
    case "secret-lines":
      return <textarea {...typed} rows={4} class="concealed" />;
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
