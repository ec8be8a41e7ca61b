export { MalformedError, TooLargeError } from './errors.ts';
export {
  FrameSplitter,
  frame,
  type LengthPrefix,
  maxFrameLength,
  RecordSplitter,
  readLengthPrefix,
  recordSeparator,
  type SplitOptions,
  type Splitter,
  writeLengthPrefix,
} from './framing.ts';
export { decodeValue, encodeValue, readValue, writeValue } from './messagepack.ts';
export { type Extension, type MessagePackType, maxDepth, Reader } from './messagepack-reader.ts';
export { Writer } from './messagepack-writer.ts';
