import {
  simdLaneInstructions,
  simdMemoryInstructions,
  simdPlainInstructions,
} from './simd-instructions.ts';

/**
 * The instructions of WebAssembly that writer, reader and validator know, a row each. Types are spelled i = i32,
 * l = i64, f = f32, d = f64, v = v128; a signature is 'operands:results'. An opcode above 0xff is a prefixed one:
 * the prefix in the high byte, the LEB128 number behind it in the low one.
 * @see WebAssembly Core Specification 3.0, section 5.4 "Instructions"
 */

/** A load or store: [opcode, signature, binary logarithm of the natural alignment]. */
// oxfmt-ignore
export const memoryInstructions = {
  'i32.load': [0x28, 'i:i', 2],
  'i64.load': [0x29, 'i:l', 3],
  'f32.load': [0x2a, 'i:f', 2],
  'f64.load': [0x2b, 'i:d', 3],
  'i32.load8_s': [0x2c, 'i:i', 0],
  'i32.load8_u': [0x2d, 'i:i', 0],
  'i32.load16_s': [0x2e, 'i:i', 1],
  'i32.load16_u': [0x2f, 'i:i', 1],
  'i64.load8_s': [0x30, 'i:l', 0],
  'i64.load8_u': [0x31, 'i:l', 0],
  'i64.load16_s': [0x32, 'i:l', 1],
  'i64.load16_u': [0x33, 'i:l', 1],
  'i64.load32_s': [0x34, 'i:l', 2],
  'i64.load32_u': [0x35, 'i:l', 2],
  'i32.store': [0x36, 'ii:', 2],
  'i64.store': [0x37, 'il:', 3],
  'f32.store': [0x38, 'if:', 2],
  'f64.store': [0x39, 'id:', 3],
  'i32.store8': [0x3a, 'ii:', 0],
  'i32.store16': [0x3b, 'ii:', 1],
  'i64.store8': [0x3c, 'il:', 0],
  'i64.store16': [0x3d, 'il:', 1],
  'i64.store32': [0x3e, 'il:', 2],
  ...simdMemoryInstructions,
} as const;

/** No immediate: [opcode, signature]. */
// oxfmt-ignore
export const plainInstructions = {
  'unreachable': [0x00, ':'],
  'nop': [0x01, ':'],
  'i32.eqz': [0x45, 'i:i'],
  'i32.eq': [0x46, 'ii:i'],
  'i32.ne': [0x47, 'ii:i'],
  'i32.lt_s': [0x48, 'ii:i'],
  'i32.lt_u': [0x49, 'ii:i'],
  'i32.gt_s': [0x4a, 'ii:i'],
  'i32.gt_u': [0x4b, 'ii:i'],
  'i32.le_s': [0x4c, 'ii:i'],
  'i32.le_u': [0x4d, 'ii:i'],
  'i32.ge_s': [0x4e, 'ii:i'],
  'i32.ge_u': [0x4f, 'ii:i'],
  'i64.eqz': [0x50, 'l:i'],
  'i64.eq': [0x51, 'll:i'],
  'i64.ne': [0x52, 'll:i'],
  'i64.lt_s': [0x53, 'll:i'],
  'i64.lt_u': [0x54, 'll:i'],
  'i64.gt_s': [0x55, 'll:i'],
  'i64.gt_u': [0x56, 'll:i'],
  'i64.le_s': [0x57, 'll:i'],
  'i64.le_u': [0x58, 'll:i'],
  'i64.ge_s': [0x59, 'll:i'],
  'i64.ge_u': [0x5a, 'll:i'],
  'f32.eq': [0x5b, 'ff:i'],
  'f32.ne': [0x5c, 'ff:i'],
  'f32.lt': [0x5d, 'ff:i'],
  'f32.gt': [0x5e, 'ff:i'],
  'f32.le': [0x5f, 'ff:i'],
  'f32.ge': [0x60, 'ff:i'],
  'f64.eq': [0x61, 'dd:i'],
  'f64.ne': [0x62, 'dd:i'],
  'f64.lt': [0x63, 'dd:i'],
  'f64.gt': [0x64, 'dd:i'],
  'f64.le': [0x65, 'dd:i'],
  'f64.ge': [0x66, 'dd:i'],
  'i32.clz': [0x67, 'i:i'],
  'i32.ctz': [0x68, 'i:i'],
  'i32.popcnt': [0x69, 'i:i'],
  'i32.add': [0x6a, 'ii:i'],
  'i32.sub': [0x6b, 'ii:i'],
  'i32.mul': [0x6c, 'ii:i'],
  'i32.div_s': [0x6d, 'ii:i'],
  'i32.div_u': [0x6e, 'ii:i'],
  'i32.rem_s': [0x6f, 'ii:i'],
  'i32.rem_u': [0x70, 'ii:i'],
  'i32.and': [0x71, 'ii:i'],
  'i32.or': [0x72, 'ii:i'],
  'i32.xor': [0x73, 'ii:i'],
  'i32.shl': [0x74, 'ii:i'],
  'i32.shr_s': [0x75, 'ii:i'],
  'i32.shr_u': [0x76, 'ii:i'],
  'i32.rotl': [0x77, 'ii:i'],
  'i32.rotr': [0x78, 'ii:i'],
  'i64.clz': [0x79, 'l:l'],
  'i64.ctz': [0x7a, 'l:l'],
  'i64.popcnt': [0x7b, 'l:l'],
  'i64.add': [0x7c, 'll:l'],
  'i64.sub': [0x7d, 'll:l'],
  'i64.mul': [0x7e, 'll:l'],
  'i64.div_s': [0x7f, 'll:l'],
  'i64.div_u': [0x80, 'll:l'],
  'i64.rem_s': [0x81, 'll:l'],
  'i64.rem_u': [0x82, 'll:l'],
  'i64.and': [0x83, 'll:l'],
  'i64.or': [0x84, 'll:l'],
  'i64.xor': [0x85, 'll:l'],
  'i64.shl': [0x86, 'll:l'],
  'i64.shr_s': [0x87, 'll:l'],
  'i64.shr_u': [0x88, 'll:l'],
  'i64.rotl': [0x89, 'll:l'],
  'i64.rotr': [0x8a, 'll:l'],
  'f32.abs': [0x8b, 'f:f'],
  'f32.neg': [0x8c, 'f:f'],
  'f32.ceil': [0x8d, 'f:f'],
  'f32.floor': [0x8e, 'f:f'],
  'f32.trunc': [0x8f, 'f:f'],
  'f32.nearest': [0x90, 'f:f'],
  'f32.sqrt': [0x91, 'f:f'],
  'f32.add': [0x92, 'ff:f'],
  'f32.sub': [0x93, 'ff:f'],
  'f32.mul': [0x94, 'ff:f'],
  'f32.div': [0x95, 'ff:f'],
  'f32.min': [0x96, 'ff:f'],
  'f32.max': [0x97, 'ff:f'],
  'f32.copysign': [0x98, 'ff:f'],
  'f64.abs': [0x99, 'd:d'],
  'f64.neg': [0x9a, 'd:d'],
  'f64.ceil': [0x9b, 'd:d'],
  'f64.floor': [0x9c, 'd:d'],
  'f64.trunc': [0x9d, 'd:d'],
  'f64.nearest': [0x9e, 'd:d'],
  'f64.sqrt': [0x9f, 'd:d'],
  'f64.add': [0xa0, 'dd:d'],
  'f64.sub': [0xa1, 'dd:d'],
  'f64.mul': [0xa2, 'dd:d'],
  'f64.div': [0xa3, 'dd:d'],
  'f64.min': [0xa4, 'dd:d'],
  'f64.max': [0xa5, 'dd:d'],
  'f64.copysign': [0xa6, 'dd:d'],
  'i32.wrap_i64': [0xa7, 'l:i'],
  'i32.trunc_f32_s': [0xa8, 'f:i'],
  'i32.trunc_f32_u': [0xa9, 'f:i'],
  'i32.trunc_f64_s': [0xaa, 'd:i'],
  'i32.trunc_f64_u': [0xab, 'd:i'],
  'i64.extend_i32_s': [0xac, 'i:l'],
  'i64.extend_i32_u': [0xad, 'i:l'],
  'i64.trunc_f32_s': [0xae, 'f:l'],
  'i64.trunc_f32_u': [0xaf, 'f:l'],
  'i64.trunc_f64_s': [0xb0, 'd:l'],
  'i64.trunc_f64_u': [0xb1, 'd:l'],
  'f32.convert_i32_s': [0xb2, 'i:f'],
  'f32.convert_i32_u': [0xb3, 'i:f'],
  'f32.convert_i64_s': [0xb4, 'l:f'],
  'f32.convert_i64_u': [0xb5, 'l:f'],
  'f32.demote_f64': [0xb6, 'd:f'],
  'f64.convert_i32_s': [0xb7, 'i:d'],
  'f64.convert_i32_u': [0xb8, 'i:d'],
  'f64.convert_i64_s': [0xb9, 'l:d'],
  'f64.convert_i64_u': [0xba, 'l:d'],
  'f64.promote_f32': [0xbb, 'f:d'],
  'i32.reinterpret_f32': [0xbc, 'f:i'],
  'i64.reinterpret_f64': [0xbd, 'd:l'],
  'f32.reinterpret_i32': [0xbe, 'i:f'],
  'f64.reinterpret_i64': [0xbf, 'l:d'],
  'i32.extend8_s': [0xc0, 'i:i'],
  'i32.extend16_s': [0xc1, 'i:i'],
  'i64.extend8_s': [0xc2, 'l:l'],
  'i64.extend16_s': [0xc3, 'l:l'],
  'i64.extend32_s': [0xc4, 'l:l'],
  'i32.trunc_sat_f32_s': [0xfc00, 'f:i'],
  'i32.trunc_sat_f32_u': [0xfc01, 'f:i'],
  'i32.trunc_sat_f64_s': [0xfc02, 'd:i'],
  'i32.trunc_sat_f64_u': [0xfc03, 'd:i'],
  'i64.trunc_sat_f32_s': [0xfc04, 'f:l'],
  'i64.trunc_sat_f32_u': [0xfc05, 'f:l'],
  'i64.trunc_sat_f64_s': [0xfc06, 'd:l'],
  'i64.trunc_sat_f64_u': [0xfc07, 'd:l'],
  ...simdPlainInstructions,
} as const;

/** A lane number behind the opcode: [opcode, signature, lanes]. */
export const laneInstructions = simdLaneInstructions;

/**
 * What stands behind the opcode of another instruction. Indexes are unsigned LEB128 numbers; `block` is a block type,
 * `labels` a vector of labels and one more, `float` four bytes, `double` eight, `bytes` sixteen.
 */
export type Immediate =
  | 'block'
  | 'label'
  | 'labels'
  | 'function'
  | 'type'
  | 'table'
  | 'memory'
  | 'global'
  | 'local'
  | 'data'
  | 'element'
  | 'heap-type'
  | 'value-types'
  | 'i32'
  | 'i64'
  | 'float'
  | 'double'
  | 'bytes'
  | 'lanes';

/** Other immediates: [opcode, immediates in order, signature if it depends on none of them]. */
// oxfmt-ignore
export const otherInstructions = {
  'block': [0x02, ['block'], undefined],
  'loop': [0x03, ['block'], undefined],
  'if': [0x04, ['block'], undefined],
  'else': [0x05, [], undefined],
  'end': [0x0b, [], undefined],
  'br': [0x0c, ['label'], undefined],
  'br_if': [0x0d, ['label'], undefined],
  'br_table': [0x0e, ['labels'], undefined],
  'return': [0x0f, [], undefined],
  'call': [0x10, ['function'], undefined],
  'call_indirect': [0x11, ['type', 'table'], undefined],
  'return_call': [0x12, ['function'], undefined],
  'return_call_indirect': [0x13, ['type', 'table'], undefined],
  'drop': [0x1a, [], undefined],
  'select': [0x1b, [], undefined],
  'select_typed': [0x1c, ['value-types'], undefined],
  'local.get': [0x20, ['local'], undefined],
  'local.set': [0x21, ['local'], undefined],
  'local.tee': [0x22, ['local'], undefined],
  'global.get': [0x23, ['global'], undefined],
  'global.set': [0x24, ['global'], undefined],
  'table.get': [0x25, ['table'], undefined],
  'table.set': [0x26, ['table'], undefined],
  'memory.size': [0x3f, ['memory'], ':i'],
  'memory.grow': [0x40, ['memory'], 'i:i'],
  'i32.const': [0x41, ['i32'], ':i'],
  'i64.const': [0x42, ['i64'], ':l'],
  'f32.const': [0x43, ['float'], ':f'],
  'f64.const': [0x44, ['double'], ':d'],
  'ref.null': [0xd0, ['heap-type'], undefined],
  'ref.is_null': [0xd1, [], undefined],
  'ref.func': [0xd2, ['function'], undefined],
  'memory.init': [0xfc08, ['data', 'memory'], 'iii:'],
  'data.drop': [0xfc09, ['data'], ':'],
  'memory.copy': [0xfc0a, ['memory', 'memory'], 'iii:'],
  'memory.fill': [0xfc0b, ['memory'], 'iii:'],
  'table.init': [0xfc0c, ['element', 'table'], 'iii:'],
  'elem.drop': [0xfc0d, ['element'], ':'],
  'table.copy': [0xfc0e, ['table', 'table'], 'iii:'],
  'table.grow': [0xfc0f, ['table'], undefined],
  'table.size': [0xfc10, ['table'], ':i'],
  'table.fill': [0xfc11, ['table'], undefined],
  'v128.const': [0xfd0c, ['bytes'], ':v'],
  'i8x16.shuffle': [0xfd0d, ['lanes'], 'vv:v'],
} as const satisfies Record<string, readonly [number, readonly Immediate[], string | undefined]>;

export type MemoryInstruction = keyof typeof memoryInstructions;
export type PlainInstruction = keyof typeof plainInstructions;
export type LaneInstruction = keyof typeof laneInstructions;
export type OtherInstruction = keyof typeof otherInstructions;
export type InstructionName =
  | MemoryInstruction
  | PlainInstruction
  | LaneInstruction
  | OtherInstruction;
