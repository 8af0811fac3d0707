/** XML as a stream of the root's children: a document of any length needs memory for one of them. */
import { SaxesParser } from 'saxes';
import { malformedRepodata } from './repodata-error.ts';

/** An element below the root. Names have no prefix; `text` is what stands directly in it, as it is. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** Line of the file where its start tag ends, from 1. */
  readonly line: number;
}

export interface XmlDocument {
  /** Of the root, once its start tag was read. */
  readonly attributes: () => Readonly<Record<string, string>>;
  readonly children: AsyncIterable<XmlElement>;
}

type OpenElement = { -readonly [K in keyof XmlElement]: XmlElement[K] } & { readonly children: XmlElement[] };

const DEEPEST = 16;

/**
 * Reads a well-formed UTF-8 document whose root has the given name. Document types, and with them entities of their own, are refused.
 * `file` names it in errors, which the children throw.
 * @throws BuildError `REPODATA_MALFORMED`
 */
export function readXml(bytes: AsyncIterable<Uint8Array>, root: string, file: string): XmlDocument {
  let attributes: Readonly<Record<string, string>> = {};
  const parser = new SaxesParser();
  const open: OpenElement[] = [];
  let complete: XmlElement[] = [];
  const fail = (found: string): never => {
    throw malformedRepodata({ file, line: parser.line, column: parser.columnIndex + 1 }, found);
  };
  parser.on('error', (error) => fail(error.message.replace(/^\d+:\d+: /, '')));
  parser.on('doctype', () => fail('a document type does not belong here'));
  parser.on('opentag', ({ name, attributes: found }) => {
    if (open.length === 0) {
      if (localName(name) !== root) fail(`the document is a '${name}', expected is '${root}'`);
      attributes = found;
    }
    if (open.length === DEEPEST) fail(`elements stand in one another more than ${DEEPEST} deep`);
    open.push({ name: localName(name), attributes: found, children: [], text: '', line: parser.line });
  });
  const addText = (text: string): void => {
    if (open.length > 1) open.at(-1)!.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const element = open.pop()!;
    if (open.length === 1) complete.push(element);
    else open.at(-1)?.children.push(element);
  });

  async function* children(): AsyncGenerator<XmlElement> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const decode = (part?: Uint8Array): string => {
      try {
        return part === undefined ? decoder.decode() : decoder.decode(part, { stream: true });
      } catch {
        return fail('the text is not UTF-8');
      }
    };
    for await (const part of bytes) {
      parser.write(decode(part));
      yield* complete;
      complete = [];
    }
    parser.write(decode()).close();
    yield* complete;
  }
  return { attributes: () => attributes, children: children() };
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** An attribute that must be there. @throws BuildError `REPODATA_MALFORMED` */
export function attributeOf(element: XmlElement, name: string, file: string): string {
  const value = element.attributes[name];
  if (value !== undefined) return value;
  throw malformedRepodata({ file, line: element.line }, `the element '${element.name}' has no '${name}'`);
}

/** A child that must be there. @throws BuildError `REPODATA_MALFORMED` */
export function requiredChild(element: XmlElement, name: string, file: string): XmlElement {
  const child = childOf(element, name);
  if (child !== undefined) return child;
  throw malformedRepodata({ file, line: element.line }, `the element '${element.name}' has no '${name}' in it`);
}

/** A number of bytes or seconds. @throws BuildError `REPODATA_MALFORMED` */
export function naturalNumber(text: string, { line, name }: XmlElement, file: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw malformedRepodata({ file, line }, `'${text}' in the element '${name}' is no number`);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
