import { Reader } from './messagepack-reader.ts';
import { Writer } from './messagepack-writer.ts';
import { type Claims, claims } from './service-fields.ts';

/** A connection that is in a group. */
export interface GroupMember {
  readonly connectionId: string;
  readonly userId?: string | undefined;
}

/** One page of the answer to GroupMemberQuery; without a token it is the last. */
export interface MemberPage {
  readonly members: readonly GroupMember[];
  readonly continuationToken?: string | undefined;
}

/** Reads the payload of the Ack to GroupMemberQuery (section 9.10). @throws MalformedError */
export function readMemberPage(payload: Uint8Array): MemberPage {
  const reader = new Reader(payload);
  const count = reader.readArrayHeader();
  const members = Array.from({ length: reader.readArrayHeader() }, () => readMember(reader));
  return { members, continuationToken: count > 1 ? reader.readStringOrNil() : undefined };
}

function readMember(reader: Reader): GroupMember {
  const count = reader.readArrayHeader();
  const connectionId = reader.readString();
  const userId = count > 1 ? reader.readStringOrNil() : undefined;
  for (let extra = count - 2; extra > 0; extra--) reader.skip();
  return { connectionId, userId };
}

/** The payload that `readMemberPage` reads. */
export function writeMemberPage({ members, continuationToken }: MemberPage): Uint8Array {
  const writer = new Writer(256).writeArrayHeader(2).writeArrayHeader(members.length);
  for (const { connectionId, userId } of members) {
    writer.writeArrayHeader(2).writeString(connectionId).writeStringOrNil(userId);
  }
  return writer.writeStringOrNil(continuationToken).bytes();
}

/** Reads the payload of the Ack to RefreshAuth and GetConnectionClaims. @throws MalformedError */
export function readClaims(payload: Uint8Array): Claims {
  return claims.read(new Reader(payload), 1);
}

/** The payload that `readClaims` reads. */
export function writeClaims(pairs: Claims): Uint8Array {
  const writer = new Writer(256);
  claims.write(writer, pairs);
  return writer.bytes();
}
