import { assert } from '@polyvisor/errors/assert';
import { isDeeperThan } from './json-depth.ts';
import type { RpcLimits } from './limits.ts';
import { requestRecord, startTimer } from './request-record.ts';
import type { CallTimer, RequestRecord, RpcTransport } from './request-record.ts';
import { parseRequest, withExactIds } from './request.ts';
import type { Request } from './request.ts';
import { RpcError, invalidRequest, rpcCodes } from './rpc-error.ts';
import type { RpcService, RpcSession } from './service.ts';

/** What answers messages, and who hears about it. */
export interface JsonRpcContext {
  readonly service: RpcService;
  readonly transport: RpcTransport;
  readonly limits: Pick<RpcLimits, 'depthMax' | 'batchLengthMax' | 'answerBytesMax'>;
  /** Called for each call when its answer is ready. */
  readonly onRequest: ((record: RequestRecord) => void) | undefined;
  /**
   * Called with what the service threw and is no RpcError. The client is told -32603 and nothing of
   * it.
   */
  readonly onBug: (error: unknown) => void;
}

/** JSON; undefined when there is nothing to say, as to notifications. */
export type Answer = string | undefined;

/**
 * Answers a message: a call or a batch. At once when the service answers at once: nothing is
 * awaited then. The calls of a batch run one after the other, so that a later one sees what an
 * earlier one did.
 * @see JSON-RPC 2.0 specification
 * @see go-ethereum, rpc/json.go and rpc/handler.go: an `id` of null makes a call, `params` of null
 * are none
 */
export function answerMessage(
  json: string,
  context: JsonRpcContext,
  session: RpcSession,
): Answer | Promise<Answer> {
  let message: unknown;
  try {
    message = JSON.parse(json);
  } catch {
    return errorAnswer('null', new RpcError(rpcCodes.parseError, 'parse error'));
  }
  if (isDeeperThan(json, context.limits.depthMax)) {
    return errorAnswer('null', invalidRequest(`nested deeper than ${context.limits.depthMax}`));
  }
  message = withExactIds(message, json);
  if (Array.isArray(message)) return answerBatch(message, context, session);
  return answerRequest(parseRequest(message), context, session);
}

function answerRequest(
  request: Request,
  context: JsonRpcContext,
  session: RpcSession,
): Answer | Promise<Answer> {
  if (request.error !== undefined) return errorAnswer(request.id!, request.error);
  const timer = context.onRequest === undefined ? undefined : startTimer();
  let result: unknown;
  try {
    result = context.service.call(request.method, request.params, session);
  } catch (error) {
    return failed(error, request, context, timer);
  }
  if (result instanceof Promise) {
    return result.then(
      (value) => succeeded(value, request, context, timer),
      (error) => failed(error, request, context, timer),
    );
  }
  return succeeded(result, request, context, timer);
}

function succeeded(
  result: unknown,
  request: Request,
  context: JsonRpcContext,
  timer: CallTimer | undefined,
): Answer {
  let answer: Answer;
  if (request.id !== undefined) {
    try {
      answer = `{"jsonrpc":"2.0","id":${request.id},"result":${valueJson(result)}}`;
      checkSize(answer, context.limits.answerBytesMax);
    } catch (error) {
      return failed(error, request, context, timer);
    }
  }
  if (timer !== undefined) report(request, context, timer, undefined);
  return answer;
}

function failed(
  thrown: unknown,
  request: Request,
  context: JsonRpcContext,
  timer: CallTimer | undefined,
): Answer {
  const error = toRpcError(thrown, context);
  let answer: Answer;
  if (request.id !== undefined) {
    try {
      answer = errorAnswer(request.id, error);
      // Without data it is what we say instead of a large answer.
      if (error.data !== undefined) checkSize(answer, context.limits.answerBytesMax);
    } catch (worse) {
      return failed(worse, request, context, timer);
    }
  }
  if (timer !== undefined) report(request, context, timer, error);
  return answer;
}

/** @throws TypeError for what JSON cannot say: bigints, cycles */
function valueJson(value: unknown): string {
  if (value === undefined) return 'null';
  const json = JSON.stringify(value) as string | undefined;
  assert(json !== undefined, 'a value is no function or symbol');
  return json;
}

function toRpcError(thrown: unknown, context: JsonRpcContext): RpcError {
  if (thrown instanceof RpcError) return thrown;
  context.onBug(thrown);
  return new RpcError(rpcCodes.internalError, 'internal error');
}

function report(
  request: Request,
  context: JsonRpcContext,
  timer: CallTimer,
  error: RpcError | undefined,
): void {
  context.onRequest?.(
    requestRecord(timer, context.transport, request.method, request.params, error),
  );
}

function answerBatch(
  messages: readonly unknown[],
  context: JsonRpcContext,
  session: RpcSession,
): Answer | Promise<Answer> {
  const { batchLengthMax, answerBytesMax } = context.limits;
  if (messages.length === 0) return errorAnswer('null', invalidRequest('empty batch'));
  if (messages.length > batchLengthMax) return batchTooLarge(messages, batchLengthMax);
  const answers = new BatchAnswers(answerBytesMax);
  for (let i = 0; i < messages.length; i++) {
    const request = parseRequest(messages[i]);
    const answer = answers.isFull ? undefined : answerRequest(request, context, session);
    if (answer instanceof Promise) {
      return finishBatch(answer, request, messages.slice(i + 1), answers, context, session);
    }
    answers.add(request.id, answer);
  }
  return answers.json();
}

/** The rest of a batch, from the first call on that takes time. */
async function finishBatch(
  pending: Promise<Answer>,
  request: Request,
  messages: readonly unknown[],
  answers: BatchAnswers,
  context: JsonRpcContext,
  session: RpcSession,
): Promise<Answer> {
  answers.add(request.id, await pending);
  for (const message of messages) {
    const next = parseRequest(message);
    const answer = answers.isFull ? undefined : await answerRequest(next, context, session);
    answers.add(next.id, answer);
  }
  return answers.json();
}

/**
 * One error, for the first call: clients cannot match one without an id. @see go-ethereum,
 * rpc/handler.go
 */
function batchTooLarge(messages: readonly unknown[], lengthMax: number): string {
  const error = invalidRequest(`batch too large: at most ${lengthMax} calls`);
  for (const message of messages) {
    const { id } = parseRequest(message);
    if (id !== undefined && id !== 'null') return `[${errorAnswer(id, error)}]`;
  }
  return `[${errorAnswer('null', error)}]`;
}

/**
 * The answers of a batch. The call that makes them too large gets an error instead, and later ones
 * are not made.
 */
class BatchAnswers {
  isFull = false;
  readonly #bytesMax: number;
  readonly #answers: string[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(id: string | undefined, answer: Answer): void {
    if (id === undefined) return;
    if (!this.isFull && answer !== undefined) {
      this.#bytes += Buffer.byteLength(answer);
      this.isFull = this.#bytes > this.#bytesMax;
    }
    const isLeftOut = this.isFull || answer === undefined;
    this.#answers.push(isLeftOut ? errorAnswer(id, answerTooLarge()) : answer);
  }

  json(): Answer {
    return this.#answers.length === 0 ? undefined : `[${this.#answers.join(',')}]`;
  }
}

/** @param params as JSON has them: no bigints */
export function notificationJson(method: string, params: unknown): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${valueJson(params)}}`;
}

/** @param id as JSON */
export function errorAnswer(id: string, { code, message, data }: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message, data })}}`;
}

function answerTooLarge(): RpcError {
  return new RpcError(rpcCodes.limitExceeded, 'response too large');
}

/** @throws RpcError */
function checkSize(answer: string, bytesMax: number): void {
  // A UTF-16 unit takes at most three bytes of UTF-8: most answers need no counting.
  if (answer.length * 3 <= bytesMax || Buffer.byteLength(answer) <= bytesMax) return;
  throw answerTooLarge();
}
