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
 * The answer of the driver, with every error of its own turned into a `transient` Failure (the library was
 * away, stepped down or too slow). A duplicate key passes as it is: it is an answer, not an outage.
 */
export async function fromDriver<T>(pending: Promise<T>): Promise<T> {
  try {
    return await pending;
  } catch (thrown) {
    if (!(thrown instanceof MongoError) || isDuplicateKey(thrown)) throw thrown;
    throw new Failure("transient", "library_unavailable", "The library cannot be reached right now.", {
      cause: thrown,
      retryAfterSeconds: 2,
    });
  }
}
