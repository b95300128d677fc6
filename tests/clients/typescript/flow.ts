// The main flow as a generated client performs it. `.ci/check-clients` generates the client into
// `client/` beside this file, compiles the two and runs them against a demonstration server.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import {
  AccountApi,
  CatalogApi,
  CommentsApi,
  Configuration,
  HistoryApi,
  LibraryApi,
  ListsApi,
  ProblemFromJSON,
  ResponseError,
  ReviewsApi,
  type LibraryEntry,
  type Problem,
} from "./client/index.js";

const { OMNITRACK_URL: basePath, OMNITRACK_TOKEN: accessToken } = process.env;
assert(basePath && accessToken, "OMNITRACK_URL and OMNITRACK_TOKEN name the server and the caller");

const config = new Configuration({ basePath, accessToken });
const account = new AccountApi(config);
const catalog = new CatalogApi(config);
const library = new LibraryApi(config);
const reviews = new ReviewsApi(config);
const comments = new CommentsApi(config);
const history = new HistoryApi(config);
const lists = new ListsApi(config);

/** The problem that a call is refused with. */
async function refused(call: Promise<unknown>): Promise<Problem> {
  try {
    await call;
  } catch (error) {
    assert(error instanceof ResponseError, `not an answer: ${error}`);
    assert.equal(error.response.headers.get("content-type"), "application/problem+json");
    const problem = ProblemFromJSON(await error.response.json());
    assert.equal(problem.status, error.response.status);
    return problem;
  }
  assert.fail("the call was not refused");
}

/** The entry once its title, which is looked up in the background, is known: a revision of its own. */
async function filled(read: () => Promise<LibraryEntry>): Promise<LibraryEntry> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const entry = await read();
    if (entry.media) return entry;
    await setTimeout(100);
  }
  assert.fail("the title was not looked up");
}

const day = (date: Date | null | undefined) => date?.toISOString().slice(0, 10);

// Search all sources; what is not in the library yet has no mark.
const found = await catalog.searchMedia({ q: "matrix" });
assert(found.sources.every((source) => source.state === "ok"));
const movie = found.items.find((item) => item.kind === "movie");
assert(movie && movie.entry === undefined);
const mediaId = movie.id;
assert.equal((await catalog.getMedia({ mediaId })).title, movie.title);
assert.deepEqual((await catalog.listMedia({ ids: [mediaId] })).items.map((item) => item.id), [mediaId]);

// A scanned book, a pasted address, and what everybody looks at.
const scanned = await catalog.lookupMedia({ isbn: "ISBN 978-0-345-39180-3" });
assert(scanned.items.length === 1 && scanned.items[0]?.attribution.logo === "google_books");
const pasted = await catalog.lookupMedia({ url: "https://www.themoviedb.org/movie/603-the-matrix" });
assert.equal(pasted.items[0]?.id, mediaId);
const misread = await refused(catalog.lookupMedia({ isbn: "9780345391804" }));
assert.deepEqual([misread.status, misread.code], [422, "invalid_isbn"]);
const trending = await catalog.discoverMedia({ kind: "movie", list: "trending" });
assert(trending.source.state === "ok" && trending.items.length > 0);

// Put it in the library, and again: the second time changes nothing.
const write = {
  mediaId,
  libraryEntryWrite: { status: "completed", rating: 80, finishedOn: new Date("2026-08-15") },
} as const;
assert.equal((await library.putLibraryEntryRaw(write)).raw.status, 201);
const known = await filled(() => library.getLibraryEntry({ mediaId }));
assert.equal(known.media?.title, movie.title);
const again = await library.putLibraryEntryRaw(write);
assert.equal(again.raw.status, 200);
const entry = await again.value();
assert.equal(entry.revision, known.revision);
assert.equal(day(entry.finishedOn), "2026-08-15");
assert.equal(entry.statusSetBy, "person");

// A patch changes what it names, keeps what it does not, and clears with null.
const etag = again.raw.headers.get("etag");
assert(etag);
const patched = await library.updateLibraryEntry({
  mediaId,
  ifMatch: etag,
  libraryEntryPatch: { rating: null, favorite: true },
});
assert.equal(patched.rating, undefined);
assert.equal(patched.favorite, true);
assert.equal(day(patched.finishedOn), "2026-08-15");

// What another device based on the old revision is refused, with the current state.
const conflict = await refused(
  library.updateLibraryEntry({ mediaId, ifMatch: etag, libraryEntryPatch: { rating: 10 } }),
);
assert.equal(conflict.status, 412);
assert.equal(conflict.code, "revision_conflict");
assert.equal(conflict.current?.["revision"], patched.revision);

// What is wrong is said all at once.
const invalid = await refused(library.listLibrary({ limit: 500, minRating: 0 }));
assert.equal(invalid.status, 400);
assert.deepEqual(invalid.errors?.map((error) => error.pointer).sort(), ["/query/limit", "/query/min_rating"]);

// Review and comment, and clear the review's title by leaving it out.
await reviews.putReview({ mediaId, reviewWrite: { title: "Still holds up", body: "That lobby.", spoiler: true } });
const review = await reviews.putReview({ mediaId, reviewWrite: { body: "That lobby." } });
assert.equal(review.title, undefined);
assert.equal(review.spoiler, false);
const commentId = randomUUID();
await comments.putComment({
  mediaId,
  commentId,
  commentWrite: { body: "Half-way in.", anchor: { kind: "percent", percent: 50 } },
});
const notes = await comments.listComments({ mediaId });
assert.deepEqual(notes.items.map((note) => [note.id, note.anchor?.percent]), [[commentId, 50]]);
await comments.deleteComment({ mediaId, commentId });
const gone = await refused(comments.putComment({ mediaId, commentId, commentWrite: { body: "Again." } }));
assert.equal(gone.code, "deleted");

// Completing made one event; an earlier time is known by its year only.
await history.putHistoryEvent({
  mediaId,
  eventId: randomUUID(),
  historyEventWrite: { finishedOn: new Date("2003-05-09"), precision: "year" },
});
const times = (await history.listHistory({ mediaId })).items;
assert.deepEqual(times.map((time) => [day(time.finishedOn), time.precision]), [
  ["2026-08-15", "day"],
  ["2003-01-01", "year"],
]);

// A list with two titles, the second put before the first, read page by page.
const listId = randomUUID();
const second = "book:google_books:B1hSG45JCX4C";
await lists.putList({ listId, mediaListWrite: { name: "Rainy days", description: "Indoors." } });
await lists.putListItem({ listId, mediaId, listItemWrite: { note: "Again?" } });
await lists.putListItem({ listId, mediaId: second, listItemWrite: { before: mediaId } });
const ids: string[] = [];
let cursor: string | undefined;
do {
  const page = await lists.listListItems({ listId, limit: 1, cursor });
  ids.push(...page.items.map((item) => item.mediaId));
  cursor = page.nextCursor;
} while (cursor !== undefined);
assert.deepEqual(ids, [second, mediaId]);
const list = await lists.updateList({ listId, mediaListPatch: { description: null } });
assert.equal(list.description, undefined);
assert.equal(list.itemCount, 2);

// The library shows it; deleting takes it out with all that hangs on it, as often as one likes.
const shelf = await library.listLibrary({ kind: ["movie", "game"], status: ["completed"], sort: "rating" });
assert.deepEqual(shelf.items.map((item) => item.mediaId), [mediaId]);
await library.deleteLibraryEntry({ mediaId });
await library.deleteLibraryEntry({ mediaId });
assert.equal((await refused(library.getLibraryEntry({ mediaId }))).status, 404);
assert.equal((await refused(reviews.getReview({ mediaId }))).code, "not_found");
await lists.deleteList({ listId });

// Settings: null is the default again.
assert.equal((await account.updateAccount({ accountPatch: { language: "de-AT" } })).language, "de-DE");
assert.equal((await account.updateAccount({ accountPatch: { language: null } })).language, undefined);

// Nobody is let in without a token.
const stranger = new AccountApi(new Configuration({ basePath }));
assert.equal((await refused(stranger.getAccount())).code, "unauthorized");

console.log("the generated client performed the main flow");
