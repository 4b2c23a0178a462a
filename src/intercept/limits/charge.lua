-- Counters in Redis or Valkey: one call of this script is one operation, all or none of it.
--
-- A row is one counter for one `per` value and has two keys: a hash (`used`, `places`, `first`, `last`, `ahead`, and
-- `kept`, until when the server keeps it) and a list of entries "end cost places", oldest first; a third key, shared by
-- all rows of a counter, is a sorted set of the values that count. A counter of calls in flight is a hash of "end held
-- places" by owner. Times are microseconds, which a double holds exactly until the year 2255. Amounts are digits and a
-- number of decimal places, added as they are written, because a double does not hold all of them.

local MERGE_ABOVE = 4096
local CHUNK = 64
local DIGITS = 14        -- of a limb: the sum of two is exact in a double
local BASE = 1e14
local AGREE = 10000000   -- as in the SQLite store: how far the clock may have been set back unnoticed
local KEPT = 10000       -- milliseconds that a row is kept after it has stopped to count

local function whole(number) return string.format("%.0f", number) end

-- amounts ------------------------------------------------------------------------------------------------------------

local function plain(digits)
  return (string.gsub(digits, "^0+(%d)", "%1"))
end

local function is_less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function limbs(digits)
  local parts = {}
  for last = #digits, 1, -DIGITS do
    parts[#parts + 1] = tonumber(string.sub(digits, math.max(1, last - DIGITS + 1), last))
  end
  return parts
end

local function joined(parts)
  local digits = {}
  for at = #parts, 1, -1 do digits[#digits + 1] = string.format("%014.0f", parts[at]) end
  return plain(table.concat(digits))
end

local function add(a, b)
  if #a <= DIGITS and #b <= DIGITS then return whole(tonumber(a) + tonumber(b)) end
  local x, y, carry, sum = limbs(a), limbs(b), 0, {}
  for at = 1, math.max(#x, #y) do
    local part = (x[at] or 0) + (y[at] or 0) + carry
    carry = part >= BASE and 1 or 0
    sum[at] = part - carry * BASE
  end
  if carry > 0 then sum[#sum + 1] = carry end
  return joined(sum)
end

local function subtract(a, b)  -- 0 where b is more
  if is_less(a, b) then return "0" end
  if #a <= DIGITS then return whole(tonumber(a) - tonumber(b)) end
  local x, y, borrow, difference = limbs(a), limbs(b), 0, {}
  for at = 1, #x do
    local part = x[at] - (y[at] or 0) - borrow
    borrow = part < 0 and 1 or 0
    difference[at] = part + borrow * BASE
  end
  return joined(difference)
end

local function scaled(digits, places, wanted)
  if digits == "0" or places == wanted then return digits end
  return digits .. string.rep("0", wanted - places)
end

-- `a` and `b` with the same decimal places
local function aligned(a, a_places, b, b_places)
  local places = math.max(a_places, b_places)
  return scaled(a, a_places, places), scaled(b, b_places, places), places
end

-- rows ---------------------------------------------------------------------------------------------------------------

local function entry_of(text)
  local stop, cost, places = string.match(text, "^(%d+) (%d+) (%d+)$")
  return tonumber(stop), cost, tonumber(places)
end

local function entry(stop, cost, places) return whole(stop) .. " " .. cost .. " " .. places end

local function load_flight(row, now)
  row.used, row.places, row.now, row.stop, row.is_new = "0", 0, now, now + row.length, true
  local slots, latest = redis.call("HGETALL", row.key), 0
  for at = 2, #slots, 2 do latest = math.max(latest, (entry_of(slots[at]))) end
  local ahead = latest - row.stop
  if ahead > AGREE then row.now, row.stop = now + ahead, row.stop + ahead end
  row.held, row.held_places = "0", 0
  for at = 1, #slots, 2 do
    local stop, held, places = entry_of(slots[at + 1])
    if slots[at] == row.owner then
      row.held, row.held_places, row.is_new = held, places, false
    elseif stop <= row.now then
      redis.call("HDEL", row.key, slots[at])
      held = "0"
    end
    local used, more, at_places = aligned(row.used, row.places, held, places)
    row.used, row.places = add(used, more), at_places
  end
end

local function save(row)
  local left = row.last - row.now + KEPT * 1000
  local runs_out = row.now + left > row.kept
  if runs_out then
    left = left * 1.5  -- so that this is not to be done each time
    row.kept = row.now + left
  end
  redis.call("HSET", row.key, "used", row.used, "places", row.places, "first", whole(row.first), "last", whole(row.last),
    "ahead", whole(row.ahead), "kept", whole(row.kept))
  if row.live then redis.call("ZADD", row.live, whole(row.last - row.ahead), row.value) end
  if runs_out then
    left = row.kept_for or math.ceil(left / 1000)
    redis.call("PEXPIRE", row.key, left)
    redis.call("PEXPIRE", row.entries, left)
    if row.live and redis.call("PTTL", row.live) < left then redis.call("PEXPIRE", row.live, left) end
  end
end

local function forget(row)
  redis.call("DEL", row.key, row.entries)
  if row.live then redis.call("ZREM", row.live, row.value) end
  row.used, row.places, row.first, row.last, row.kept, row.is_new = "0", 0, 0, 0, 0, true
end

local function load_tally(row, now)
  local kept = redis.call("HMGET", row.key, "used", "places", "first", "last", "ahead", "kept")
  row.used, row.places = kept[1] or "0", tonumber(kept[2] or 0)
  row.first, row.last = tonumber(kept[3] or 0), tonumber(kept[4] or 0)
  row.ahead, row.kept = tonumber(kept[5] or 0), tonumber(kept[6] or 0)
  row.is_new = not kept[1]
  if row.last - row.stop > row.ahead + AGREE then row.ahead = row.last - row.stop end
  row.now, row.stop = now + row.ahead, row.stop + row.ahead
  if row.is_new then return end
  if row.last <= row.now then
    forget(row)
    row.now, row.stop, row.ahead = row.now - row.ahead, row.stop - row.ahead, 0
    return
  end
  if row.first > row.now then return end
  local gone = 0
  while true do
    local some = redis.call("LRANGE", row.entries, gone, gone + CHUNK - 1)
    local past = 0
    for _, text in ipairs(some) do
      local stop, cost, places = entry_of(text)
      row.first = stop
      if stop > row.now then break end
      local used, less, at_places = aligned(row.used, row.places, cost, places)
      row.used, row.places, past = subtract(used, less), at_places, past + 1
    end
    gone = gone + past
    if past < CHUNK then break end
  end
  if gone > 0 then
    redis.call("LTRIM", row.entries, gone, -1)
    save(row)
  end
end

local function merge(row)
  local old = redis.call("LRANGE", row.entries, 0, -1)
  redis.call("DEL", row.entries)
  local new = {}
  for at = 1, #old, 2 do
    if old[at + 1] then
      local _, first, first_places = entry_of(old[at])
      local stop, second, second_places = entry_of(old[at + 1])
      local a, b, places = aligned(first, first_places, second, second_places)
      new[#new + 1] = entry(stop, add(a, b), places)
    else
      new[#new + 1] = old[at]
    end
    if at == 1 then row.first = entry_of(new[1]) end
    if #new == CHUNK then
      redis.call("RPUSH", row.entries, unpack(new))
      new = {}
    end
  end
  if #new > 0 then redis.call("RPUSH", row.entries, unpack(new)) end
  row.kept = 0
end

-- what is charged ----------------------------------------------------------------------------------------------------

-- Microseconds until the cost of `row` fits under `max`: 0 if it does, -1 if it never can; and what is left.
local function wait_of(row, max, max_places, ask_again)
  local cost, limit = aligned(row.cost, row.cost_places, max, max_places)
  local never = is_less(limit, cost)
  local places = math.max(row.places, row.cost_places, max_places)
  local used = scaled(row.used, row.places, places)
  cost, limit = scaled(row.cost, row.cost_places, places), scaled(max, max_places, places)
  local total, left = add(used, cost), subtract(limit, used)
  if not is_less(limit, total) then return 0, left, places end
  if never then return -1, left, places end
  if row.is_flight then return ask_again, left, places end
  local excess, at = subtract(total, limit), 0
  while true do
    local some = redis.call("LRANGE", row.entries, at, at + CHUNK - 1)
    if #some == 0 then return redis.error_reply("DAMAGED the sum of a counter differs from its entries") end
    for _, text in ipairs(some) do
      local stop, spent, spent_places = entry_of(text)
      local a, b = aligned(excess, places, spent, spent_places)
      if not is_less(b, a) then return stop - row.now, left, places end
      excess = subtract(a, b)
      places = math.max(places, spent_places)
    end
    at = at + CHUNK
  end
end

local function wait_for_room(row, rows, max_live, ask_again)
  if row.is_flight or not row.live then return 0 end
  redis.call("ZREMRANGEBYSCORE", row.live, "-inf", whole(row.now - row.ahead))
  local new = 0
  for _, other in ipairs(rows) do
    if other.is_new and other.live == row.live then new = new + 1 end
  end
  local surplus = redis.call("ZCARD", row.live) + new - max_live
  if surplus <= 0 then return 0 end
  local leaving = redis.call("ZRANGE", row.live, surplus - 1, surplus - 1, "WITHSCORES")
  if not leaving[2] then return -1 end
  return tonumber(leaving[2]) - (row.now - row.ahead)
end

local function refusal(checks, rows, max_live, ask_again)
  local worst, longest = nil, 0
  for _, check in ipairs(checks) do
    local row = rows[check.row]
    local wait, left, places = wait_of(row, check.max, check.places, ask_again)
    if type(wait) == "table" then return wait end
    if wait == 0 and row.is_new and row.cost ~= "0" then
      wait = wait_for_room(row, rows, max_live, ask_again)
      if wait ~= 0 then left, places = "0", 0 end
    end
    if wait < 0 then return check.index .. " -1 " .. left .. " " .. places end
    if wait > longest then
      longest, worst = wait, check.index .. " " .. whole(wait) .. " " .. left .. " " .. places
    end
  end
  return worst
end

local function make(row)
  if row.cost == "0" then return "0" end
  if row.is_flight then
    local held, more, places = aligned(row.held, row.held_places, row.cost, row.cost_places)
    redis.call("HSET", row.key, row.owner, entry(row.stop, add(held, more), places))
    redis.call("PEXPIRE", row.key, row.kept_for or math.ceil((row.stop - row.now) / 1000) + KEPT)
    return whole(row.stop)
  end
  local used, more, places = aligned(row.used, row.places, row.cost, row.cost_places)
  row.used, row.places = add(used, more), places
  if row.stop <= row.last then
    local stop, cost, cost_places = entry_of(redis.call("LINDEX", row.entries, -1))
    local a, b, at_places = aligned(cost, cost_places, row.cost, row.cost_places)
    redis.call("LSET", row.entries, -1, entry(stop, add(a, b), at_places))
    row.stop = stop
  else
    local entries = redis.call("RPUSH", row.entries, entry(row.stop, row.cost, row.cost_places))
    if entries == 1 then row.first = row.stop end
    if entries > MERGE_ABOVE then merge(row) end
    row.last = row.stop
  end
  save(row)
  return whole(row.stop)
end

local function undo(row, made)
  if row.is_flight then
    local held, less, places = aligned(row.held, row.held_places, row.cost, row.cost_places)
    held = subtract(held, less)
    if held == "0" then
      redis.call("HDEL", row.key, row.owner)
    else
      redis.call("HSET", row.key, row.owner, entry(row.stop, held, places))
    end
    return
  end
  if row.is_new or made <= row.now or made > row.last then return end
  -- From the end, where it most likely is, back to the first that stops no earlier.
  local at = redis.call("LLEN", row.entries)
  local found
  while at > 0 and found == nil do
    local from = math.max(0, at - CHUNK)
    local some = redis.call("LRANGE", row.entries, from, at - 1)
    for back = #some, 1, -1 do
      if entry_of(some[back]) < made then
        found = from + back
        break
      end
    end
    at = from
  end
  found = found or 0
  local stop, cost, cost_places = entry_of(redis.call("LINDEX", row.entries, found))
  local spent, back, places = aligned(cost, cost_places, row.cost, row.cost_places)
  local left = subtract(spent, back)
  local used, less, used_places = aligned(row.used, row.places, is_less(spent, back) and spent or back, places)
  row.used, row.places = subtract(used, less), used_places
  if left == "0" then
    redis.call("LSET", row.entries, found, "-")
    redis.call("LREM", row.entries, 1, "-")
    local last = redis.call("LINDEX", row.entries, -1)
    if not last then return forget(row) end
    row.first, row.last = entry_of(redis.call("LINDEX", row.entries, 0)), entry_of(last)
  else
    redis.call("LSET", row.entries, found, entry(stop, left, places))
  end
  save(row)
end

-- ARGV: first what to do, the caller's time or "-", the owner, how long a lease lasts, how many values may live, when to
-- ask again, how long rows are kept or "-", and the number of rows; then for each row its kind, the start and end of the
-- period (or 0 and the length), cost, places and whether it is of a shadow limit; and then the checks, each with the
-- number of its row, the maximum and its places, or when what is undone stops to count.
local verb, given, owner, lease, max_live, ask_again, kept_for, count =
  string.match(ARGV[1], "^(%a+) (%S+) (%x+) (%d+) (%d+) (%d+) (%S+) (%d+)$")
lease, max_live, ask_again, kept_for = tonumber(lease), tonumber(max_live), tonumber(ask_again), tonumber(kept_for)
count = tonumber(count)
local now = tonumber(given)
if not now then
  local time = redis.call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local rows = {}
for number = 1, count do
  local kind, start, stop, cost, places, shadow =
    string.match(ARGV[number + 1], "^(%a+) (%d+) (%d+) (%d+) (%d+) (%d)$")
  local row = { kept_for = kept_for, owner = owner, cost = cost, cost_places = tonumber(places) }
  row.key, row.entries = KEYS[number * 3 - 2], KEYS[number * 3 - 1]
  row.is_shadow = shadow == "1"
  if kind == "flight" then
    row.is_flight, row.length = true, lease
  elseif kind == "sliding" then
    row.stop = now + tonumber(stop)
  else
    row.stop = tonumber(stop)
    if verb ~= "undo" and (now < tonumber(start) or now >= row.stop) then return "period " .. whole(now) end
  end
  if not row.is_flight then
    row.value = string.match(row.key, "^[^}]*}:t:%x+:(.*)$")
    if row.value ~= "" then row.live = KEYS[number * 3] end
  end
  rows[number] = row
end
for _, row in ipairs(rows) do
  if row.is_flight then load_flight(row, now) else load_tally(row, now) end
end

if verb == "undo" then
  for number, row in ipairs(rows) do undo(row, tonumber(ARGV[1 + count + number])) end
  return "done " .. whole(now)
end
if verb == "renew" then
  for _, row in ipairs(rows) do
    redis.call("HSET", row.key, owner, entry(row.stop, row.cost, row.cost_places))
    redis.call("PEXPIRE", row.key, kept_for or math.ceil(lease / 1000) + KEPT)
  end
  return "done " .. whole(now)
end

local checks = { {}, {} }
for index = 0, #ARGV - count - 2 do
  local number, max, places = string.match(ARGV[2 + count + index], "^(%d+) (%d+) (%d+)$")
  local check = { index = index, row = tonumber(number), max = max, places = tonumber(places) }
  table.insert(checks[rows[check.row].is_shadow and 2 or 1], check)
end
local refused = refusal(checks[1], rows, max_live, ask_again)
if type(refused) == "table" then return refused end
if refused then return "refused " .. refused end
if verb == "look" then return "granted " .. whole(now) end
local unmet = refusal(checks[2], rows, max_live, ask_again)
if type(unmet) == "table" then return unmet end
local answer = { "granted", whole(now) }
for _, row in ipairs(rows) do
  answer[#answer + 1] = (unmet and row.is_shadow) and "0" or make(row)
end
answer[#answer + 1] = unmet
return table.concat(answer, " ")
