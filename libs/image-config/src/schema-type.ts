/** The TypeScript type that a JSON Schema describes, for the part of JSON Schema that image definitions use. */

type Simplify<T> = { readonly [K in keyof T]: T[K] };

/** Derives the type of valid values from a schema that was written `as const`. */
export type FromSchema<S> = S extends { readonly anyOf: readonly (infer One)[] }
  ? FromSchema<One>
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly type: 'string' }
      ? string
      : S extends { readonly type: 'integer' }
        ? number
        : S extends { readonly type: 'boolean' }
          ? boolean
          : S extends { readonly type: 'array'; readonly items: infer Items }
            ? readonly FromSchema<Items>[]
            : S extends { readonly type: 'object' }
              ? FromObject<S>
              : never;

type FromObject<S> = S extends { readonly properties: infer P }
  ? Simplify<
      { readonly [K in keyof P & RequiredNames<S>]: FromSchema<P[K]> } & {
        readonly [K in Exclude<keyof P, RequiredNames<S>>]?: FromSchema<P[K]>;
      }
    >
  : S extends { readonly additionalProperties: infer A }
    ? Readonly<Record<string, FromSchema<A>>>
    : never;

type RequiredNames<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;
