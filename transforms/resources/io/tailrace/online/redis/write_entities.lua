-- Writes cells of entities, each a hash, so that for every feature the greatest cell ever written stands.
--
-- KEYS: the entities. ARGV: for each entity a head, and its features as MessagePack strings: name, cell, name,
-- cell, … Packed, because Redis spends more on each argument of a script than on the bytes in it. Behind all
-- entities two times of 8 bytes each: the writer's clock, and that less the grace.
--
-- A head is what the reserved field, the one with the empty name, would hold if nothing had been stored:
--   1..8   high water: the greatest time in this write
--   9..16  fence: the time up to which the entity is deleted; zeros: none
--   17..24 until when the key must be kept; all ones: for ever
--   25..28 from when on something in the hash is over, in granules; all ones: never
--   29..36 until when the fence and the tombstones are remembered; absent, or zeros in a head: there are none
-- and, where any of this must be known,
--   37..44 the least time in this write
--   45..   for each cell '1' if it has expired already, else '0'; present too if there is a fence
--
-- The reserved field of an earlier version ends at 24.
--
-- Returns 0 if every cell was written, else pairs of an entity's number and what became of its fence and of
-- each of its cells: w(ritten), s(tale), d(uplicate), (e)x(pired), - (no fence). For an entity that is not
-- ours, and was not touched, it is an exclamation mark and what the key holds.
--
-- Times are never compared as strings: the order of Lua's strings follows the server's locale.

if #KEYS == 0 then
  return 0
end

local call, try, unpackBytes, packBytes = redis.call, redis.pcall, struct.unpack, struct.pack
local unpackFeatures = cmsgpack.unpack
local sub, byte, floor, min, max = string.sub, string.byte, math.floor, math.min, math.max
local ZERO, FOREVER, NEVER = string.rep('\0', 8), string.rep('\255', 8), string.rep('\255', 4)
-- Microseconds; Lua's doubles hold its multiples exactly.
local GRANULE = 1073741824
local TOMBSTONE = 2

local function later(a, b)
  local ah, al = unpackBytes('>I4I4', a)
  local bh, bl = unpackBytes('>I4I4', b)
  return ah > bh or (ah == bh and al > bl)
end

-- In microseconds; beyond the year 2255 to a millisecond or so.
local function micros(time)
  local high, low = unpackBytes('>I4I4', time)
  return (high - 2147483648) * 4294967296 + low
end

local clock = ARGV[#ARGV]
local now, dead = sub(clock, 1, 8), sub(clock, 9, 16)
local grace = micros(now) - micros(dead)
local nowGranule = floor(micros(now) / GRANULE) + 2147483648

-- The end of the granule that a time is in.
local function granule(time, plus)
  return floor((micros(time) + plus) / GRANULE) + 1
end

local function keptUntil(granules)
  if granules == -math.huge then
    return ZERO
  elseif granules >= 8589934591 then
    return FOREVER
  end
  return packBytes('>I4I4', floor(granules / 4) + 2147483648, granules % 4 * GRANULE)
end

local function dueFrom(granules)
  if granules == math.huge then
    return NEVER
  end
  return packBytes('>I4', max(0, min(granules + 2147483648, 4294967294)))
end

local function greater(a, b)
  local n = min(#a, #b)
  for from = 1, n, 256 do
    local to = min(from + 255, n)
    if sub(a, from, to) ~= sub(b, from, to) then
      for i = from, to do
        local x, y = byte(a, i), byte(b, i)
        if x ~= y then
          return x > y
        end
      end
    end
  end
  return #a > #b
end

local function keep(key, untilTime)
  if untilTime == FOREVER then
    call('PERSIST', key)
  else
    call('PEXPIREAT', key, string.format('%.0f', math.ceil(micros(untilTime) / 1000)))
  end
end

-- What somebody else has put into a hash of ours counts as absent.
local function isCell(value)
  return #value >= 18 and byte(value, 9) <= TOMBSTONE
end

local function isEndless(cell)
  return sub(cell, 10, 17) == FOREVER and byte(cell, 9) ~= TOMBSTONE
end

-- When the first and the last of some cells are over, with another among them.
local function spanning(first, last, cell)
  local expires = sub(cell, 10, 17)
  if expires ~= FOREVER then
    local over = granule(expires, grace)
    return min(first, over), max(last, over)
  elseif byte(cell, 9) == TOMBSTONE then
    -- The entity remembers it, not the cell.
    return first, last
  end
  return first, math.huge
end

-- Removes cells that are over, and tells when the first and the last of the others are, and how many fields
-- there are. Where tombstones are forgotten, those are kept that have come just now.
local function sweep(key, fence, forget, fresh)
  local all, gone = call('HGETALL', key), {}
  local first, last = math.huge, -math.huge
  for i = 1, #all, 2 do
    local cell = all[i + 1]
    if all[i] ~= '' and isCell(cell) then
      local expires = sub(cell, 10, 17)
      local over
      if expires ~= FOREVER then
        over = not later(expires, dead)
      else
        over = forget and byte(cell, 9) == TOMBSTONE and not fresh[all[i]]
      end
      if over or not later(sub(cell, 1, 8), fence) then
        gone[#gone + 1] = all[i]
      else
        first, last = spanning(first, last, cell)
      end
    end
  end
  for i = 1, #gone, 1000 do
    call('HDEL', key, unpack(gone, i, min(i + 999, #gone)))
  end
  return first, last, #all / 2 - #gone
end

-- Cell by cell, where something in the store may be greater, or over.
local function contest(key, stored, head, features)
  local high, fence, kept, due, remembered = ZERO, ZERO, ZERO, NEVER, ZERO
  -- Whether all that is stored has to be looked at, and whether tombstones go.
  local all, forget = false, false
  if stored then
    high, fence, kept = sub(stored, 1, 8), sub(stored, 9, 16), sub(stored, 17, 24)
    if #stored == 24 then
      all = true
      remembered = fence == ZERO and ZERO or kept
    else
      due = sub(stored, 25, 28)
      all = unpackBytes('>I4', due) <= nowGranule
      remembered = #stored == 36 and sub(stored, 29, 36) or ZERO
    end
    if remembered ~= ZERO and not later(remembered, now) then
      fence, remembered, forget, all = ZERO, ZERO, true, true
    end
  end
  local asked = sub(head, 29, 36)
  if #asked == 8 and later(asked, remembered) then
    remembered = asked
  end
  local outcome = {'-'}
  local newFence = sub(head, 9, 16)
  if later(newFence, fence) then
    outcome[1] = 'w'
    fence, all = newFence, true
    if later(fence, high) then
      high = fence
    end
  elseif newFence ~= ZERO then
    outcome[1] = newFence == fence and 'd' or 's'
  end
  local write, cells, names, fresh = {}, {unpackFeatures(features)}, {}, {}
  local first, last = math.huge, -math.huge
  for i = 1, #cells, 2 do
    names[#names + 1] = cells[i]
  end
  if #names > 0 then
    local old = call('HMGET', key, unpack(names))
    for i = 1, #names do
      local cell = cells[2 * i]
      local was = old[i] and isCell(old[i]) and old[i]
      local time = sub(cell, 1, 8)
      local what
      if not later(time, fence) then
        what = 's'
      elseif not was then
        what = sub(head, 44 + i, 44 + i) == '1' and 'x' or 'w'
      elseif cell == was then
        what = 'd'
      else
        what = greater(cell, was) and 'w' or 's'
      end
      if what == 'w' then
        write[#write + 1] = names[i]
        write[#write + 1] = cell
        if later(time, high) then
          high = time
        end
        first, last = spanning(first, last, cell)
        -- What was kept for ever may now have an end.
        all = all or (was and kept == FOREVER and isEndless(was) and not isEndless(cell))
      end
      if forget and what ~= 's' and byte(cell, 9) == TOMBSTONE then
        fresh[names[i]] = true
      end
      outcome[i + 1] = what
    end
  end
  outcome = table.concat(outcome)
  if #write > 0 then
    call('HSET', key, unpack(write))
  elseif not stored and newFence == ZERO then
    return outcome
  end
  if all then
    local fields
    first, last, fields = sweep(key, fence, forget, fresh)
    if remembered == ZERO and fields == (stored and 1 or 0) then
      call('HDEL', key, '')
      return outcome
    end
  end
  if remembered ~= ZERO then
    first = min(first, granule(remembered, 0))
    last = max(last, remembered == FOREVER and math.huge or granule(remembered, grace))
  end
  local wanted, from = keptUntil(last), dueFrom(first)
  if not all then
    wanted = later(wanted, kept) and wanted or kept
    from = unpackBytes('>I4', from) < unpackBytes('>I4', due) and from or due
  end
  local reserved = high .. fence .. wanted .. from .. (remembered == ZERO and '' or remembered)
  if reserved ~= stored then
    call('HSET', key, '', reserved)
  end
  if wanted ~= kept then
    keep(key, wanted)
  end
  return outcome
end

local outcomes
for e = 1, #KEYS do
  local key, head, features = KEYS[e], ARGV[2 * e - 1], ARGV[2 * e]
  local stored = try('HGET', key, '')
  local size = stored and #stored
  local foreign
  if not stored then
    if call('HLEN', key) > 0 then
      foreign = '!a hash that Tailrace did not write'
    end
  elseif size == 0 and type(stored) == 'table' then
    if not string.find(stored.err, 'WRONGTYPE', 1, true) then
      return stored
    end
    foreign = '!something that is not a hash'
  elseif size ~= 28 and size ~= 36 and size ~= 24 then
    foreign = '!a hash that Tailrace did not write'
  end
  local wins = not foreign and #head <= 44
  if wins and stored then
    local ah, al = unpackBytes('>I4I4', head, #head == 44 and 37 or 1)
    local bh, bl = unpackBytes('>I4I4', stored)
    wins = (ah > bh or (ah == bh and al > bl))
      and size > 24
      and unpackBytes('>I4', stored, 25) > nowGranule
      and (sub(stored, 17, 24) ~= FOREVER or sub(head, 17, 24) == FOREVER)
  end
  if wins then
    local reserved = #head == 28 and head or sub(head, 1, sub(head, 29, 36) == ZERO and 28 or 36)
    local wanted
    if not stored then
      wanted = sub(head, 17, 24)
      if wanted == FOREVER then
        wanted = nil
      end
    elseif sub(stored, 9) ~= sub(reserved, 9) then
      local kept, due, remembered = sub(stored, 17, 24), sub(stored, 25, 28), sub(stored, 29)
      wanted = sub(head, 17, 24)
      if wanted == kept or not later(wanted, kept) then
        wanted = nil
      end
      local from, asked = sub(head, 25, 28), sub(reserved, 29)
      if from ~= due and unpackBytes('>I4', from) < unpackBytes('>I4', due) then
        due = from
      end
      if asked ~= '' and (remembered == '' or later(asked, remembered)) then
        remembered = asked
      end
      reserved = sub(head, 1, 8) .. sub(stored, 9, 16) .. (wanted or kept) .. due .. remembered
    end
    call('HSET', key, '', reserved, unpackFeatures(features))
    if wanted then
      keep(key, wanted)
    end
  else
    outcomes = outcomes or {}
    outcomes[#outcomes + 1] = e
    outcomes[#outcomes + 1] = foreign or contest(key, stored, head, features)
  end
end
return outcomes or 0
