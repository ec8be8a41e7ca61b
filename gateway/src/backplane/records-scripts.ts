/** The scripts of `records-redis.ts`. Each is one step for everybody else. Times are microseconds of Redis' clock. */

const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
`;

const dropDeadNodes = `
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do redis.call('HDEL', KEYS[2], node) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
`;

/**
 * KEYS: leases (sorted set by expiry), records (hash), secret. ARGV: node, record, lease in ms, secret or ''.
 * Puts the secret back if Redis lost it. Answers the secret that Redis holds, or '', and whether the lease was still there.
 */
export const leaseScript = `${clock}${dropDeadNodes}
local added = redis.call('ZADD', KEYS[1], now + ARGV[3] * 1000, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if ARGV[4] ~= '' then redis.call('SET', KEYS[3], ARGV[4], 'NX') end
return { redis.call('GET', KEYS[3]) or '', 1 - added }
`;

/** KEYS: leases, records. Answers node, record, node, record, … of those alive. */
export const nodesScript = `${clock}${dropDeadNodes}
return redis.call('HGETALL', KEYS[2])
`;

/** KEYS: leases, records. ARGV: node. */
export const leaveScript = `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
`;

/*
 * Standing groups of a user: a sorted set by expiry. Members are 'k' + group (kept: joined without time to live) or
 * 't' + group (timed), so that the most recent 100 kept ones can be told from the rest: theirs is the latest expiry.
 */
const dropExpired = `${clock}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
`;

/** A key lives as long as its longest member. */
const keepAsLong = `
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], math.ceil(last[2] / 1000)) end
`;

/**
 * KEYS: set, topic. ARGV: group, ttl in ms, mark 'k' or 't', most of this mark, PUBLISH or SPUBLISH, envelope.
 * Answers receivers, or -1 when one more timed group is too many.
 */
export const joinScript = `${dropExpired}
redis.call('ZREM', KEYS[1], 'k' .. ARGV[1], 't' .. ARGV[1])
local alike = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(member, 1, 1) == ARGV[3] then alike[#alike + 1] = member end
end
local most = tonumber(ARGV[4])
if ARGV[3] == 't' and #alike >= most then return -1 end
for i = 1, #alike - most + 1 do redis.call('ZREM', KEYS[1], alike[i]) end
redis.call('ZADD', KEYS[1], now + ARGV[2] * 1000, ARGV[3] .. ARGV[1])
${keepAsLong}
return redis.call(ARGV[5], KEYS[2], ARGV[6])
`;

/** KEYS: set, topic. ARGV: 'one' or 'all', group, PUBLISH or SPUBLISH, envelope. Answers how many it removed, receivers. */
export const leaveStandingScript = `${dropExpired}
local removed
if ARGV[1] == 'one' then
  removed = redis.call('ZREM', KEYS[1], 'k' .. ARGV[2], 't' .. ARGV[2])
else
  removed = redis.call('ZCARD', KEYS[1])
  redis.call('DEL', KEYS[1])
end
return { removed, redis.call(ARGV[3], KEYS[2], ARGV[4]) }
`;

/** KEYS: set. Answers the live groups with their marks, longest life first. */
export const standingScript = `${dropExpired}
return redis.call('ZREVRANGE', KEYS[1], 0, -1)
`;
