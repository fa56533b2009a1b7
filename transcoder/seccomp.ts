/**
 * A filter of system calls for everything that runs in the sandbox: decoding a file needs none of these, and
 * defects of a kernel are mostly found behind them. A small program of classic BPF (seccomp(2)), assembled here, so that
 * nothing has to be installed for it.
 */

/** Number of each refused call on x86-64 and on AArch64; null where the architecture has no such call. */
const REFUSED_CALLS: Readonly<Record<string, readonly [x64: number | null, arm64: number | null]>> = {
  // Looking into other processes.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // Another view of the file system, or of the machine.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  unshare: [272, 97],
  setns: [308, 268],
  mknod: [133, null],
  mknodat: [259, 33],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  swapon: [167, 224],
  swapoff: [168, 225],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  acct: [163, 89],
  // Large parts of the kernel that few programs need, and most of its recent defects.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  lookup_dcookie: [212, 18],
  memfd_secret: [447, 447],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  personality: [135, 92],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  uselib: [134, null],
  // The machine itself.
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  vhangup: [153, 58],
  // There is no network inside; without sockets its code is not even reached.
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
};

interface Architecture {
  /** AUDIT_ARCH_… (linux/audit.h): a call made in another mode of the processor has other numbers. */
  audit: number;
  calls: { clone: number; clone3: number; ioctl: number };
  /** Column of the table above. */
  column: 0 | 1;
  /** x32 calls carry this bit and would pass by every number of the table. */
  foreignBit: number | null;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    calls: { clone: 56, clone3: 435, ioctl: 16 },
    column: 0,
    foreignBit: 0x40000000,
  },
  arm64: { audit: 0xc00000b7, calls: { clone: 220, clone3: 435, ioctl: 29 }, column: 1, foreignBit: null },
};

/** Flags of clone(2) that make a namespace. */
const NAMESPACE_FLAGS = 0x7e02_0000;
/** Keystrokes put into a terminal: TIOCSTI (CVE-2017-5226) and TIOCLINUX. */
const TERMINAL_REQUESTS = [0x5412, 0x541c];

const EPERM = 1;
const ENOSYS = 38;

/** The names of the calls that the filter refuses on this architecture, with their numbers. */
export function refusedCalls(architecture: string): ReadonlyMap<string, number> {
  const column = ARCHITECTURES[architecture]?.column;
  if (column === undefined) return new Map();
  return new Map(
    Object.entries(REFUSED_CALLS).flatMap(([name, numbers]) => {
      const number = numbers[column];
      return number === null ? [] : [[name, number] as const];
    }),
  );
}

/** The program that `bwrap --seccomp` reads, or null on an architecture whose numbers are not known here. */
export function seccompFilter(architecture: string): Uint8Array | null {
  const target = ARCHITECTURES[architecture];
  if (target === undefined) return null;
  const { clone, clone3, ioctl } = target.calls;
  return encode([
    load(OFFSET.architecture),
    ...unlessEqual(target.audit, answer.kill),
    load(OFFSET.call),
    ...(target.foreignBit === null ? [] : ifAtLeast(target.foreignBit, answer.error(ENOSYS))),
    // Its flags stand in memory, which a filter cannot read: libraries fall back to clone.
    ...ifEqual(clone3, answer.error(ENOSYS)),
    ...[...refusedCalls(architecture).values()].flatMap((number) => ifEqual(number, answer.error(EPERM))),
    // Only the two calls below are looked at more closely.
    ...ifEqualSkip(clone, [
      load(OFFSET.firstArgument),
      ...ifAnyBit(NAMESPACE_FLAGS, answer.error(EPERM)),
      answer.allow,
    ]),
    ...ifEqualSkip(ioctl, [
      load(OFFSET.secondArgument),
      ...TERMINAL_REQUESTS.flatMap((request) => ifEqual(request, answer.error(EPERM))),
      answer.allow,
    ]),
    answer.allow,
  ]);
}

/** struct sock_filter (linux/filter.h). */
interface Instruction {
  code: number;
  /** Instructions to skip where a comparison holds, and where it does not. */
  ifTrue: number;
  ifFalse: number;
  value: number;
}

/** struct seccomp_data (linux/seccomp.h); of an argument, its lower half on these little-endian machines. */
const OFFSET = { call: 0, architecture: 4, firstArgument: 16, secondArgument: 24 };

/** BPF_LD|BPF_W|BPF_ABS; BPF_JMP with BPF_JEQ, BPF_JGE or BPF_JSET and BPF_K; BPF_RET|BPF_K. */
const CODE = { load: 0x20, equal: 0x15, atLeast: 0x35, anyBit: 0x45, answer: 0x06 };

const plain = (code: number, value: number): Instruction => ({ code, ifTrue: 0, ifFalse: 0, value });
const load = (offset: number): Instruction => plain(CODE.load, offset);
const answer = {
  allow: plain(CODE.answer, 0x7fff0000),
  kill: plain(CODE.answer, 0x80000000),
  error: (errno: number): Instruction => plain(CODE.answer, 0x00050000 | errno),
};
const ifEqual = (value: number, then: Instruction): Instruction[] => ifEqualSkip(value, [then]);
const ifEqualSkip = (value: number, block: Instruction[]): Instruction[] => [
  { code: CODE.equal, ifTrue: 0, ifFalse: block.length, value },
  ...block,
];
const unlessEqual = (value: number, then: Instruction): Instruction[] => [
  { code: CODE.equal, ifTrue: 1, ifFalse: 0, value },
  then,
];
const ifAtLeast = (value: number, then: Instruction): Instruction[] => [
  { code: CODE.atLeast, ifTrue: 0, ifFalse: 1, value },
  then,
];
const ifAnyBit = (value: number, then: Instruction): Instruction[] => [
  { code: CODE.anyBit, ifTrue: 0, ifFalse: 1, value },
  then,
];

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, ifTrue, ifFalse, value }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value, true);
  });
  return bytes;
}
