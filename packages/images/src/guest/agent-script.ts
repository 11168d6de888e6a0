import { latin1ToBytes } from '@polyvisor/bytes/latin1';

/** What the agent says first: the version of the protocol. */
export const AGENT_HELLO = 'hello 1';
/** Characters of a command's name. */
export const AGENT_ID_LENGTH_MAX = 64;
/** Bytes of output that one line carries. */
export const AGENT_PIECE_BYTES = 768;
/**
 * Where the agent keeps what belongs to commands: `<id>.in` is the standard input of command
 * `<id>`.
 */
export const AGENT_DIRECTORY = '/run/polyvisor';

/** What one read takes: a whole number of pieces, and no less than a pipe of Linux holds. */
const READ_BYTES = 86 * AGENT_PIECE_BYTES;
/** Characters of a whole piece. */
const LINE_LENGTH = (AGENT_PIECE_BYTES / 3) * 4;

/**
 * What follows the output of a command. It is for nobody to see, and its first byte has to be zero:
 * see `markAfter`.
 */
const MARK: Uint8Array = latin1ToBytes('\0\xffpolyvisor\0\xffend of output\0\xff\n');

/**
 * What base64 makes of the mark after a number of bytes that is `rest` more than a multiple of
 * three, up to where the mark alone decides about it. Because the mark begins with a zero, in front
 * of it stands what base64 would make of the bytes alone, but for the `=` at the end.
 */
function markAfter(rest: 0 | 1 | 2): string {
  const text = Buffer.from([...new Uint8Array(rest), ...MARK]).toString('base64');
  const length = Math.floor(((rest + MARK.length) * 4) / 3);
  return text.slice(rest === 0 ? 0 : rest + 1, length);
}

/**
 * The guest's side of the conversation between host and guest, a script for a shell as POSIX has
 * it.
 *
 * A line is ASCII and ends with `\n`; its fields stand one blank apart; bytes are in base64, or `-`
 * where there are none; an id is of letters, digits, `_` and `-`, 64 at most.
 * ```
 * host   run <id> <script>        begins `sh -c <script>`; its standard input is <id>.in, if any
 *        put <id> <path> <bytes>  appends bytes to a file, in the order of the lines, and ends
 *        kill <id>                kills a command and its process group: it ends with 137
 * guest  hello 1                  first of all, and again after the agent was started anew
 *        out <id> <bytes>         what the command wrote to standard output; at most 768 bytes
 *        err <id> <bytes>         the same of standard error
 *        end <id> <status>        after all of that: 0 to 255, 128 + n after signal n
 * ```
 * What the host says before `hello` may come back as it was, for a terminal echoes. A script has
 * less than 128 KiB, as any argument of a program.
 *
 * A command is over when its shell is: what others that it left behind write after that is read,
 * and thrown away. So that nothing the command wrote itself is lost, a mark follows it through the
 * same pipe. A command runs in a session and a process group of its own, without a terminal, and as
 * all that a shell runs in the background it begins with SIGINT and SIGQUIT ignored.
 *
 * It needs stty, base64, dd, cat, mkdir, rm and setsid: busybox's shell has them, another takes
 * them from coreutils and util-linux. POLYVISOR_DEVICE is where the host is, by default the virtio
 * console; empty, it is standard input and output. base64 and sed would hold back what is not 30 KB
 * yet, so output is read with dd, which takes what is there.
 */
export const agentScript: string = String.raw`#!/.polyvisor/busybox sh
# Runs commands for the host. See packages/images/src/guest/agent-script.ts for what is said.
[ ! -e /.polyvisor/environment ] || . /.polyvisor/environment
dir=${'${'}POLYVISOR_DIRECTORY:-${AGENT_DIRECTORY}}
device=${'${'}POLYVISOR_DEVICE-/dev/hvc0}
unset POLYVISOR_DEVICE POLYVISOR_DIRECTORY
newline='
'
# Command ids and base64 are words: nothing is a pattern.
set -f
blanks=$IFS
mark0=${markAfter(0)}
mark1=${markAfter(1)}
mark2=${markAfter(2)}

# pump <id> <out|err>: standard input as lines, to its mark.
pump() {
  exec 6<&0
  while :; do
    piece=$(dd bs=${READ_BYTES} count=1 <&6 2>/dev/null | base64 -w ${LINE_LENGTH})
    # The mark comes after the status, so nothing has it before there is one.
    if [ -e "$dir/$1.status" ] && send_last "$2" "$1" $piece; then break; fi
    [ -n "$piece" ] || return
    send "$2" "$1" $piece
  done
  # Whoever still has the pipe may write to it.
  cat <&6 >/dev/null 2>&1 6<&- &
}

# send <out|err> <id> <base64>...: one write a line, which a pipe keeps whole.
send() {
  head="$1 $2"
  shift 2
  for line; do printf '%s %s\n' "$head" "$line"; done
}

# send_last <out|err> <id> <base64>...: what is in front of the mark, if there is one.
send_last() {
  head="$1 $2"
  shift 2
  IFS=
  all="$*"
  IFS=$blanks
  case $all in
    *$mark0*) mark=$mark0 end= ;;
    *$mark1*) mark=$mark1 end='==' ;;
    *$mark2*) mark=$mark2 end='=' ;;
    *) return 1 ;;
  esac
  # What is cut off is looked for from the end on, and there is hardly anything behind the mark.
  all=${'${'}all%$mark*}
  lines=$((${'${#'}all} / ${LINE_LENGTH}))
  while [ $lines -gt 0 ]; do
    printf '%s %s\n' "$head" "$1"
    lines=$((lines - 1))
    shift
  done
  # The mark may begin in one line and end in the next.
  all=$1$2
  all=${'${'}all%$mark*}
  [ -z "$all" ] || printf '%s %s%s\n' "$head" "$all" $end
}

# supervise <id> <script>: the command, its status, and the marks behind its output on 7 and 8.
supervise() {
  input=/dev/null
  [ ! -e "$dir/$1.in" ] || input=$dir/$1.in
  setsid /bin/sh -c -- "$2" <"$input" >&7 2>&8 7>&- 8>&- 9>&- &
  echo $! >"$dir/$1.pid"
  # A kill that came before there was a number to kill.
  [ ! -e "$dir/$1.kill" ] || finish $!
  wait $!
  echo $? >"$dir/$1.status"
  printf '${octal(MARK)}' >&7
  printf '${octal(MARK)}' >&8
}

# finish <process>: it may not lead its group yet.
finish() {
  kill -9 "-$1" || kill -9 "$1"
}

# run <id> <script>: all of a command's life.
run() {
  {
    { supervise "$1" "$2" 8>&1 >/dev/null 2>&1 | pump "$1" err >&9 7>&- 9>&-; } 7>&1 >/dev/null |
      pump "$1" out >&9 9>&-
  } 9>&1
  read -r status <"$dir/$1.status"
  rm -f "$dir/$1.in" "$dir/$1.pid" "$dir/$1.kill" "$dir/$1.status"
  printf 'end %s %s\n' "$1" "$status"
}

# decode <base64>
decode() {
  [ "$1" = - ] || base64 -d <<END
$1
END
}

# put <id> <path> <bytes>
put() {
  message=$({ decode "$3" >>"$(decode "$2")"; } 2>&1)
  status=$?
  [ -z "$message" ] || send err "$1" $(printf '%s\n' "$message" | base64 -w ${LINE_LENGTH})
  printf 'end %s %s\n' "$1" "$status"
}

# stop <id>: kills what runs by that name.
stop() {
  [ -e "$dir/$1.pid" ] && [ ! -e "$dir/$1.status" ] || return
  : >"$dir/$1.kill"
  process=
  [ ! -s "$dir/$1.pid" ] || read -r process <"$dir/$1.pid"
  [ -z "$process" ] || finish "$process"
}

# serve <line>
serve() {
  IFS=' '
  set -- $1
  IFS=$blanks
  case $2 in
    '' | *[!A-Za-z0-9_-]*) return ;;
  esac
  # A pipe keeps no longer lines whole than it has to.
  [ ${'${#2}'} -le ${AGENT_ID_LENGTH_MAX} ] || return
  case $1 in
    run)
      [ ! -e "$dir/$2.kill" ] || rm -f "$dir/$2.kill"
      : >"$dir/$2.pid"
      run "$2" "$(decode "$3")" <&5 &
      ;;
    put) put "$2" "$3" "$4" ;;
    kill) stop "$2" ;;
  esac
}

# Lines of standard input. A shell's own read takes a system call or two for each byte.
listen() {
  printf '%s\n' '${AGENT_HELLO}'
  rest=
  while :; do
    chunk=$(dd bs=4096 count=1 2>/dev/null; echo .)
    [ "$chunk" != . ] || return
    IFS=$newline
    set -- $rest$chunk
    IFS=$blanks
    # The last has the dot that keeps the end of the line before it.
    while [ $# -gt 1 ]; do
      serve "$1" 2>/dev/null
      shift
    done
    rest=${'${'}1%.}
  done
}

if [ -n "$device" ]; then
  exec <>"$device" >&0
  stty raw -echo
fi
rm -rf "$dir"
mkdir -p "$dir"
exec 5</dev/null
# One writer, so that lines of many commands stay whole.
listen | cat
`;

/** As `printf` of a shell reads it. */
function octal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
