/** A twin whose methods can be made to fail. */
export interface Failable<Port extends object> {
  /** The next call of that method throws `error`, before it does anything. Several are thrown in order. */
  failNext(method: keyof Port, error: Error): void;
}

/** The same port; each of its methods (all of them asynchronous) first throws what a test asked it to throw next. */
export function failable<Port extends object>(port: Port): Port & Failable<Port> {
  const failures = new Map<PropertyKey, Error[]>();
  const proxied = new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const error = failures.get(key)?.shift();
        return error ? Promise.reject(error) : Reflect.apply(member, target, args);
      };
    },
  });
  return Object.assign(proxied, {
    failNext(method: keyof Port, error: Error) {
      failures.set(method, [...(failures.get(method) ?? []), error]);
    },
  });
}
