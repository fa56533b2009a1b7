import { MongoBulkWriteError, MongoError, MongoServerError } from "mongodb";
import { Failure } from "../../core/errors.ts";

/** MongoDB's code for a second document under a key that exists. */
const DUPLICATE_KEY = 11_000;

/** Whether the write was refused because a document with that key is already there. */
export function isDuplicateKey(thrown: unknown): boolean {
  return (
    (thrown instanceof MongoServerError || thrown instanceof MongoBulkWriteError) &&
    thrown.code === DUPLICATE_KEY
  );
}

/**
 * Waits for one unordered command of many writes, and says which of them met a document that is there already. Any
 * other trouble with any of them is the failure of all.
 */
export async function duplicatesIn(pending: Promise<unknown>): Promise<number[]> {
  try {
    await pending;
    return [];
  } catch (thrown) {
    const errors = thrown instanceof MongoBulkWriteError ? [thrown.writeErrors].flat() : [];
    if (errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY))
      return errors.map(({ index }) => index);
    throw isTrouble(thrown) ? unavailable(thrown) : thrown;
  }
}

/**
 * The answer of the driver, with every error of its own and of its connections turned into a `transient` Failure (the library was
 * away, stepped down or too slow). A duplicate key passes as it is: it is an answer, not an outage.
 */
export async function fromDriver<T>(pending: Promise<T>): Promise<T> {
  try {
    return await pending;
  } catch (thrown) {
    if (!isTrouble(thrown) || isDuplicateKey(thrown)) throw thrown;
    throw unavailable(thrown);
  }
}

/** An error of the driver's, or one of the connection's that it hands on as it is: a write to one that was reset just now. */
function isTrouble(thrown: unknown): thrown is Error {
  return thrown instanceof MongoError || (thrown instanceof Error && "syscall" in thrown);
}

function unavailable(cause: Error): Failure {
  return new Failure("transient", "library_unavailable", "The library cannot be reached right now.", {
    cause,
    retryAfterSeconds: 2,
  });
}
