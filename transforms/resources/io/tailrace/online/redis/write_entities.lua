-- Writes cells of entities, each a hash, so that for every feature the greatest cell ever written stands.
--
-- KEYS: the entities. ARGV: for each entity a head, and its features as MessagePack strings: name, cell, name,
-- cell, … Packed, because Redis spends more on each argument of a script than on the bytes in it.
--
-- A head is what the reserved field, the one with the empty name, would hold if nothing had been stored:
--   1..8   high water: the greatest time in this write
--   9..16  fence: the time up to which the entity is deleted; zeros: none
--   17..24 until when the key must be kept; all ones: for ever
-- and, where it must be known,
--   25..32 the least time in this write, if it is not the greatest
--   33..   for each cell '1' if it has expired already, else '0'; present too if there is a fence
--
-- Returns 0 if every cell was written, else pairs of an entity's number and what became of its fence and of
-- each of its cells: w(ritten), s(tale), d(uplicate), (e)x(pired), - (no fence).
--
-- Times are never compared as strings: the order of Lua's strings follows the server's locale.

local call, unpackBytes, unpackFeatures = redis.call, struct.unpack, cmsgpack.unpack
local sub, byte = string.sub, string.byte
local ZERO, FOREVER = string.rep('\0', 8), string.rep('\255', 8)

local function later(a, b)
  local ah, al = unpackBytes('>I4I4', a)
  local bh, bl = unpackBytes('>I4I4', b)
  return ah > bh or (ah == bh and al > bl)
end

local function greater(a, b)
  local n = math.min(#a, #b)
  for from = 1, n, 256 do
    local to = math.min(from + 255, n)
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
    local high, low = unpackBytes('>I4I4', untilTime)
    local micros = (high - 2147483648) * 4294967296 + low
    call('PEXPIREAT', key, string.format('%.0f', math.ceil(micros / 1000)))
  end
end

-- Cell by cell, where something in the store may be greater.
local function contest(key, stored, head, features)
  local high, fence, kept = ZERO, ZERO, ZERO
  if stored then
    high, fence, kept = sub(stored, 1, 8), sub(stored, 9, 16), sub(stored, 17, 24)
  end
  local outcome = {'-'}
  local newFence = sub(head, 9, 16)
  if later(newFence, fence) then
    outcome[1] = 'w'
    fence = newFence
    if later(fence, high) then
      high = fence
    end
    local all, dead = call('HGETALL', key), {}
    for i = 1, #all, 2 do
      if all[i] ~= '' and (#all[i + 1] < 8 or not later(sub(all[i + 1], 1, 8), fence)) then
        dead[#dead + 1] = all[i]
      end
    end
    for i = 1, #dead, 1000 do
      call('HDEL', key, unpack(dead, i, math.min(i + 999, #dead)))
    end
  elseif newFence ~= ZERO then
    outcome[1] = newFence == fence and 'd' or 's'
  end
  local write, cells, names = {'', ''}, {unpackFeatures(features)}, {}
  for i = 1, #cells, 2 do
    names[#names + 1] = cells[i]
  end
  if #names > 0 then
    local old = call('HMGET', key, unpack(names))
    for i = 1, #names do
      local cell = cells[2 * i]
      local time = sub(cell, 1, 8)
      local what
      if not later(time, fence) then
        what = 's'
      elseif not old[i] then
        what = sub(head, 32 + i, 32 + i) == '1' and 'x' or 'w'
      elseif cell == old[i] then
        what = 'd'
      else
        what = greater(cell, old[i]) and 'w' or 's'
      end
      if what == 'w' then
        write[#write + 1] = names[i]
        write[#write + 1] = cell
        if later(time, high) then
          high = time
        end
      end
      outcome[i + 1] = what
    end
  end
  if stored or #write > 2 or outcome[1] == 'w' then
    local wanted = sub(head, 17, 24)
    local longer = later(wanted, kept)
    write[2] = high .. fence .. (longer and wanted or kept)
    if #write > 2 or write[2] ~= stored then
      call('HSET', key, unpack(write))
    end
    if longer then
      keep(key, wanted)
    end
  end
  return table.concat(outcome)
end

local outcomes
for e = 1, #KEYS do
  local key, head, features = KEYS[e], ARGV[2 * e - 1], ARGV[2 * e]
  local stored = call('HGET', key, '')
  if stored and #stored ~= 24 then
    return redis.error_reply("FOREIGN the hash is not one of Tailrace's: its field '' holds something else")
  end
  local wins = #head <= 32
  if wins and stored then
    local ah, al = unpackBytes('>I4I4', head, #head == 32 and 25 or 1)
    local bh, bl = unpackBytes('>I4I4', stored)
    wins = ah > bh or (ah == bh and al > bl)
  end
  if wins then
    local reserved = #head == 24 and head or sub(head, 1, 24)
    local wanted
    if not stored then
      wanted = sub(head, 17, 24)
      if wanted == FOREVER then
        wanted = nil
      end
    elseif sub(stored, 9) ~= sub(reserved, 9) then
      local kept = sub(stored, 17)
      wanted = sub(head, 17, 24)
      if not later(wanted, kept) then
        wanted = nil
      end
      reserved = sub(head, 1, 8) .. sub(stored, 9, 16) .. (wanted or kept)
    end
    call('HSET', key, '', reserved, unpackFeatures(features))
    if wanted then
      keep(key, wanted)
    end
  else
    outcomes = outcomes or {}
    outcomes[#outcomes + 1] = e
    outcomes[#outcomes + 1] = contest(key, stored, head, features)
  end
end
return outcomes or 0
