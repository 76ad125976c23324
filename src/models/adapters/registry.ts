import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';
import { accessOf } from './credentials.ts';
import { excerpt } from './excerpt.ts';
import { openExec } from './exec.ts';
import { openHttpJson } from './http-json.ts';
import { openKserve } from './kserve.ts';
import { openOnnx } from './onnx.ts';
import { openOpenAi } from './openai.ts';
import type { RemoteClassifier, RemoteOptions } from './remote.ts';
import { openReplay } from './replay.ts';
import { displayCommand, splitCommand } from './suspect-command.ts';
import type { SuspectForm, SuspectSpecification } from './suspect-forms.ts';
import { openTfjs } from './tfjs.ts';
import { openTensorFlowServing } from './tfserving.ts';

/** One kind of suspect: how its text form is read, how it is shown and how it is opened. */
interface Adapter<Form> {
  parse(rest: string): Omit<Form, 'kind'>;
  show(form: Form): string;
  open(form: Form, options: RemoteOptions): RemoteClassifier;
}
type Kind = SuspectForm['kind'];
type FormOf<K extends Kind> = Extract<SuspectForm, { readonly kind: K }>;
type AddressForm = Extract<SuspectForm, { readonly url: string }>;
type FileForm = Extract<SuspectForm, { readonly path: string }>;

/** Every kind of suspect by its prefix. A new one is one file and one line here. */
const adapters: { readonly [K in Kind]: Adapter<FormOf<K>> } = {
  kserve: behindAddress(openKserve),
  http: behindAddress(openHttpJson),
  openai: behindAddress(openOpenAi),
  tfserving: behindAddress(openTensorFlowServing),
  tfjs: inFile(openTfjs),
  onnx: inFile(openOnnx),
  exec: {
    parse: (rest) => ({ command: splitCommand(rest) }),
    show: ({ command }) => displayCommand(command),
    open: ({ command }, options) => openExec(command, options),
  },
  replay: inFile(openReplay),
};

/**
 * Returns the classifier that a specification denotes: a text such as
 * `kserve:http://127.0.0.1:8080/v2/models/NAME`, `http:https://host/classify`, `onnx:model.onnx` or
 * `exec:python3 classify.py`, or a form with everything that is needed to ask it. A form's own labels,
 * label map and credentials go before those of `options`.
 *
 * Nothing is asked, read or started before `describe` or `classify`.
 *
 * @throws USAGE for an unknown kind, naming the known ones, and for an address, path or command that
 * cannot be used; CONFIG_INVALID for a template, label map or secret that cannot.
 */
export function openClassifier(
  specification: SuspectSpecification,
  options: RemoteOptions,
): RemoteClassifier {
  const form = formOf(specification);
  const { labels, labelMap } = form;
  return adapterOf(form).open(form, {
    ...options,
    ...(labels && { suspectLabels: labels }),
    ...(labelMap && { labelMap }),
  });
}

/**
 * Returns a specification as plans and reports may show it: `KIND:` and the address, path or command.
 * What can be a secret is left out: an address's query, and what looks like a key in a command.
 *
 * @throws USAGE for a specification that cannot be used
 */
export function displaySpecification(specification: SuspectSpecification): string {
  const form = formOf(specification);
  return `${form.kind}:${adapterOf(form).show(form)}`;
}

function behindAddress<Form extends AddressForm>(
  open: (
    address: string,
    options: RemoteOptions & Omit<Form, keyof AddressForm>,
  ) => RemoteClassifier,
): Adapter<Form> {
  return {
    parse: (url) => ({ url }) as Omit<Form, 'kind'>,
    show: ({ url }) => display(parseAddress(url)),
    open(
      { url, kind, labels, labelMap, operator, bearerEnvironment, headers, oauth, mtls, ...own },
      options,
    ) {
      const access = accessOf(
        {
          ...(bearerEnvironment !== undefined && { bearerEnvironment }),
          ...(headers && { headers }),
          ...(oauth && { oauth }),
          ...(mtls && { mtls }),
        },
        options,
      );
      return open(url, { ...options, ...own, ...access });
    },
  };
}

function inFile<Form extends FileForm>(
  open: (path: string, options: RemoteOptions) => RemoteClassifier,
): Adapter<Form> {
  return {
    parse: (path) => ({ path }) as Omit<Form, 'kind'>,
    show: ({ path }) => excerpt(path, 200),
    open: ({ path }, options) => open(path, options),
  };
}

function adapterOf(form: SuspectForm): Adapter<SuspectForm> {
  return adapters[form.kind] as Adapter<SuspectForm>;
}

function formOf(specification: SuspectSpecification): SuspectForm {
  if (typeof specification !== 'string') return specification;
  const [, kind = '', rest = ''] = /^([a-z][a-z0-9-]*):(.*)$/s.exec(specification) ?? [];
  const bare = /^https?:\/\//.test(specification);
  if (bare || !Object.hasOwn(adapters, kind)) throw unknownKind(bare, kind);
  if (rest.trim() === '') {
    throw new TouchmarkError('USAGE', `the suspect "${kind}:" says no more than its kind`, {
      hint,
    });
  }
  return { kind, ...adapters[kind as Kind].parse(rest) } as SuspectForm;
}

function unknownKind(bare: boolean, kind: string): TouchmarkError {
  const known = Object.keys(adapters).join(', ');
  const what = bare ? 'names no protocol' : `names the unknown protocol "${excerpt(kind, 40)}"`;
  return new TouchmarkError('USAGE', `the suspect's address ${what}; known are ${known}`, { hint });
}

const hint =
  'write kserve:http://host:port/v2/models/NAME, http:http://host:port/path, onnx:PATH or exec:COMMAND';
