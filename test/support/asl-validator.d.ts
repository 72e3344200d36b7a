/** The package ships its types where its `package.json` does not say. */
declare module 'asl-validator' {
  export default function validate(definition: unknown): { readonly isValid: boolean; readonly errorsText: () => string };
}
