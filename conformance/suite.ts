import type { Tier } from '@polyvisor/evm/compiler/code-cache';
import type { ArchiveName } from './archives.ts';
import type { TarFile } from './tar.ts';

/** A conformance suite: which data, and the module that runs one file of it. */
export interface Suite {
  readonly summary: string;
  /** Or the module, beside this one, that exports `inputs`: they are no files of an archive. */
  readonly source: ArchiveName | { readonly module: string };
  /** Files that hold cases. */
  readonly accepts: (path: string) => boolean;
  /** Whether the files of a folder are one input together; `path` is the folder's then. */
  readonly byFolder?: boolean;
  /** Module, beside this one, that exports `runFile`. */
  readonly runner: string;
  /** Cases, or whole files, that can't be run, by name or path with the reason. Printed, and counted as skipped. */
  readonly excluded: Readonly<Record<string, string>>;
}

/** What a user narrows a run down with. */
export interface RunOptions {
  /** Names of forks as the fixtures write them, lower-case; undefined: all. */
  readonly forks: readonly string[] | undefined;
  /** Part of a case's name; undefined: all. */
  readonly filter: string | undefined;
  /** How the EVM engine runs code, where a suite can say so. */
  readonly tier: Tier;
  readonly excluded: Readonly<Record<string, string>>;
  /** Folder of programs for a suite that runs some; undefined: its own. */
  readonly elfFolder: string | undefined;
}

/** @param folder what a user gives with `--elf-dir` */
export type Inputs = (folder: string | undefined) => Iterable<TarFile> | AsyncIterable<TarFile>;

export type RunFile = (
  path: string,
  content: string,
  options: RunOptions,
) => FileResult | Promise<FileResult>;

export interface FileResult {
  passed: number;
  readonly failures: CaseNote[];
  readonly skipped: CaseNote[];
}

export interface CaseNote {
  readonly name: string;
  readonly reason: string;
}

export function emptyResult(): FileResult {
  return { passed: 0, failures: [], skipped: [] };
}

/** Runs a case unless it is excluded, and books its verdict: undefined is a pass. */
export function book(
  result: FileResult,
  name: string,
  options: RunOptions,
  run: () => string | undefined,
): void {
  if (options.filter !== undefined && !name.includes(options.filter)) return;
  const excuse = options.excluded[name];
  if (excuse !== undefined) {
    result.skipped.push({ name, reason: excuse });
    return;
  }
  let reason: string | undefined;
  try {
    reason = run();
  } catch (error) {
    reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  if (reason === undefined) result.passed++;
  else result.failures.push({ name, reason });
}
