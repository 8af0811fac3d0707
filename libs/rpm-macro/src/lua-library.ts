/** rpm's Lua library, in Lua: `rpm`, `posix`, `macros`, a `print` that makes the expansion, and no way to the machine. */
export const LUA_LIBRARY = String.raw`
local host = {}
for name, value in pairs(_G) do
  local short = type(name) == "string" and name:match("^__host_(.+)$")
  if short then host[short] = value end
end
for name in pairs(host) do _G["__host_" .. name] = nil end

-- Output of scripts: one buffer per running script, for they nest.
local buffers = {}
function print(...)
  local buffer = buffers[#buffers]
  if not buffer then return end
  local values = table.pack(...)
  for i = 1, values.n do
    if i > 1 then buffer[#buffer + 1] = "\t" end
    buffer[#buffer + 1] = tostring(values[i])
  end
end

local function text(value, index, name)
  if type(value) == "string" or type(value) == "number" then return tostring(value) end
  error("bad argument #" .. index .. " to '" .. name .. "' (string expected, got " .. type(value) .. ")", 3)
end

rpm = {}
function rpm.expand(s)
  local result = host.expand(text(s, 1, "expand"))
  if result == nil then error("error expanding macro", 2) end
  return result
end
function rpm.define(s)
  if not host.define(text(s, 1, "define")) then error("error defining macro", 2) end
end
function rpm.undefine(s) host.undefine(text(s, 1, "undefine")) end
function rpm.isdefined(s)
  s = text(s, 1, "isdefined")
  local defined = host.isdefined(s)
  return defined, defined and host.isparametric(s)
end
function rpm.load(path) return host.load(text(path, 1, "load")) and 0 or -1 end
function rpm.vercmp(a, b)
  a, b = text(a, 1, "vercmp"), text(b, 2, "vercmp")
  if a == "" then error("bad argument #1 to 'vercmp' (invalid version )", 2) end
  if b == "" then error("bad argument #2 to 'vercmp' (invalid version )", 2) end
  return host.vercmp(a, b)
end
function rpm.splitargs(s)
  local result = {}
  for i, word in ipairs(host.splitargs(text(s, 1, "splitargs"))) do result[i] = word end
  return result
end
function rpm.unsplitargs(list)
  local words = {}
  for i, word in ipairs(list) do words[i] = tostring(word) end
  if #words == 0 then return "" end
  return host.unsplitargs(words)
end
function rpm.b64encode(s) return host.encode(text(s, 1, "b64encode")) end
function rpm.b64decode(s) return host.decode(text(s, 1, "b64decode")) end
function rpm.execute(...)
  local words = {}
  for i, word in ipairs({...}) do words[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'" end
  if host.shell(table.concat(words, " ")) == nil then return nil, "exit code", 127 end
  return 0
end
local function unavailable(name)
  return function() error(name .. " is not available while reading a spec", 2) end
end
for _, name in ipairs({"interactive", "redirect2null", "open"}) do rpm[name] = unavailable("rpm." .. name) end
local hooks = {}
function rpm.register(name, hook, data)
  hooks[name] = hooks[name] or {}
  table.insert(hooks[name], {hook = hook, data = data})
end
function rpm.unregister(name) hooks[name] = nil end
function rpm.call(name, ...)
  for _, entry in ipairs(hooks[name] or {}) do entry.hook({...}, entry.data) end
end

-- Versions as objects.
local version = {}
local function parts(evr)
  local epoch, rest = evr:match("^(%d*):(.*)$")
  rest = rest or evr
  if epoch == "" then epoch = "0" end
  local v, r = rest:match("^(.*)%-([^%-]*)$")
  return epoch, v or rest, r
end
local function join(e, v, r) return (e and e .. ":" or "") .. v .. (r and "-" .. r or "") end
version.__index = function(self, key)
  if key ~= "e" and key ~= "v" and key ~= "r" then error("invalid attribute: " .. tostring(key), 2) end
  return rawget(self, "_" .. key)
end
version.__tostring = function(self) return join(rawget(self, "_e"), rawget(self, "_v"), rawget(self, "_r")) end
version.__eq = function(a, b) return host.vercmp(tostring(a), tostring(b)) == 0 end
version.__lt = function(a, b) return host.vercmp(tostring(a), tostring(b)) < 0 end
version.__le = function(a, b) return host.vercmp(tostring(a), tostring(b)) <= 0 end
function rpm.ver(...)
  local values = table.pack(...)
  if values.n ~= 1 and values.n ~= 3 then error("invalid number of arguments: " .. values.n, 2) end
  local e, v, r = values[1], values[2], values[3]
  if values.n == 1 then
    if e == nil or e == "" then return nil end
    e, v, r = parts(tostring(e))
  elseif v == nil or v == "" then return nil end
  return setmetatable({_e = e and tostring(e), _v = tostring(v), _r = r and tostring(r)}, version)
end

-- Macros as a table.
macros = setmetatable({}, {
  __index = function(_, name)
    name = text(name, 2, "index")
    if not host.isdefined(name) then return nil end
    if not host.isparametric(name) then return rpm.expand("%{" .. name .. "}") end
    return function(...)
      local values = table.pack(...)
      if values.n > 1 then error("too many arguments", 2) end
      local argument = values[1]
      if type(argument) == "string" or type(argument) == "number" then
        return rpm.expand("%{" .. name .. " " .. tostring(argument) .. "}")
      end
      if type(argument) ~= "table" then error("bad argument #1 (string or table expected)", 2) end
      local words = {}
      for i = 1, #argument do
        local word = argument[i]
        if type(word) ~= "string" and type(word) ~= "number" then error("cannot convert to string", 2) end
        words[i] = tostring(word)
      end
      local result = host.call(name, words)
      if result == nil then error("error expanding macro", 2) end
      return result
    end
  end,
  __newindex = function(_, name, body)
    name = text(name, 2, "newindex")
    if body == nil then host.undefine(name)
    elseif not host.define(name .. " " .. text(body, 3, "newindex")) then error("error defining macro " .. name, 2) end
  end,
})

-- Files: what the file port knows. What a script writes is seen by scripts only, and forgotten with them.
local written, temporary = {}, 0
local function contentOf(path)
  if written[path] then return table.concat(written[path]) end
  return host.readfile(path)
end
local function openFile(path, mode)
  mode = mode or "r"
  if mode:match("^[wa]") then
    local content = mode:match("^a") and contentOf(path)
    local pieces = {content or nil}
    written[path] = pieces
    local file = {}
    function file.write(_, ...)
      for _, piece in ipairs({...}) do pieces[#pieces + 1] = tostring(piece) end
      return file
    end
    function file.close() return true end
    function file.flush() return true end
    function file.seek() return 0 end
    return file
  end
  local content = contentOf(path)
  if content == nil then return nil, path .. ": No such file or directory", 2 end
  local at = 1
  local file = {}
  local function readOne(format)
    if type(format) == "number" then
      if at > #content then return nil end
      local piece = content:sub(at, at + format - 1)
      at = at + format
      return piece
    end
    format = format:gsub("^%*", "")
    if format == "a" then
      local piece = content:sub(at)
      at = #content + 1
      return piece
    end
    if at > #content then return nil end
    if format == "n" then
      local number, stop = content:match("^%s*([-+]?%d+%.?%d*)()", at)
      if stop then at = stop end
      return tonumber(number)
    end
    local stop = content:find("\n", at, true)
    local piece = content:sub(at, stop and (format == "L" and stop or stop - 1))
    at = (stop or #content) + 1
    return piece
  end
  function file.read(_, ...)
    local formats = table.pack(...)
    if formats.n == 0 then return readOne("l") end
    local results = {}
    for i = 1, formats.n do results[i] = readOne(formats[i]) end
    return table.unpack(results, 1, formats.n)
  end
  function file.lines() return function() return readOne("l") end end
  function file.close() return true end
  return file
end
local function popen(command)
  local output = host.shell(command)
  if output == nil then return nil, command .. ": no recorded answer" end
  return {
    read = function(_, format) if format and format:match("a") then return output end return (output:match("^[^\n]*")) end,
    lines = function() return output:gmatch("[^\n]+") end,
    close = function() return true end,
  }
end
io = {
  open = openFile,
  popen = popen,
  lines = function(path)
    local file, message = openFile(path)
    if not file then error(message, 2) end
    return file:lines()
  end,
  write = function(...) print(...) end,
  stdout = {write = function() end},
  stderr = {write = function() end},
}
local osTime, osDate, osDifftime = os.time, os.date, os.difftime
os = {
  getenv = host.getenv,
  execute = function(command) return host.shell(command) ~= nil end,
  time = function(at) if at then return osTime(at) end error("the clock is not available while reading a spec", 2) end,
  date = function(format, at) if at then return osDate(format, at) end error("the clock is not available while reading a spec", 2) end,
  difftime = osDifftime,
  tmpname = function()
    temporary = temporary + 1
    return string.format("/tmp/lua_%06d", temporary)
  end,
  remove = function(path)
    if not written[path] then return nil, path .. ": Operation not permitted", 1 end
    written[path] = nil
    return true
  end,
  exit = unavailable("os.exit"),
}
posix = {getenv = host.getenv}
function posix.access(path) if written[path] or host.exists(path) then return 0 end return nil, path .. ": No such file or directory", 2 end
function posix.stat(path, field)
  if not host.exists(path) then return nil, path .. ": No such file or directory", 2 end
  local facts = {type = "regular", mode = "rw-r--r--", size = 0, mtime = 0, uid = 0, gid = 0}
  if field then return facts[field] end
  return facts
end
-- The machine is that of the target; what only the host knows is asked for as the command that would tell it.
function posix.uname(format)
  local facts = {
    s = function() return "Linux" end,
    m = function() return rpm.expand("%{_build_cpu}") end,
    n = function() return (host.shell("uname -n") or ""):match("^[^\n]*") end,
    r = function() return (host.shell("uname -r") or ""):match("^[^\n]*") end,
    v = function() return (host.shell("uname -v") or ""):match("^[^\n]*") end,
  }
  return ((format or "%s %n %r %v %m"):gsub("%%(.)", function(letter)
    if facts[letter] then return facts[letter]() end
    return letter == "%" and "%" or error("bad argument #1 to 'uname' (invalid option '" .. letter .. "')", 3)
  end))
end
function posix.dir() return nil end
function posix.files() return function() end end
function posix.getcwd() return "/" end
function posix.getprocessid() return 1 end
for _, name in ipairs({"chdir", "chmod", "chown", "exec", "fork", "kill", "link", "mkdir", "mkfifo", "mkstemp", "putenv",
  "rmdir", "setenv", "setgid", "setuid", "sleep", "symlink", "umask", "unlink", "unsetenv", "utime", "wait", "redirect2null"}) do
  posix[name] = unavailable("posix." .. name)
end
function posix.readlink() return nil end

-- Modules of the distribution.
package.path = "/usr/lib/rpm/lua/?.lua"
package.cpath = ""
package.searchers = {
  package.searchers[1],
  function(name)
    local tried = ""
    for template in package.path:gmatch("[^;]+") do
      local path = template:gsub("?", (name:gsub("%.", "/")))
      local content = host.readfile(path)
      if content then
        local chunk, message = load(content, "@" .. path)
        if not chunk then error(message) end
        return chunk, path
      end
      tried = tried .. "\n\tno file '" .. path .. "'"
    end
    return tried
  end,
}
dofile = function(path)
  local content = host.readfile(path)
  if content == nil then error("cannot open " .. tostring(path), 2) end
  return assert(load(content, "@" .. path))()
end
loadfile = function(path)
  local content = host.readfile(path)
  if content == nil then return nil, "cannot open " .. tostring(path) end
  return load(content, "@" .. path)
end
-- A script that never ends is stopped, and can't catch that.
local sethook, tooLong = debug.sethook, false
local function limit(count)
  tooLong = false
  sethook(function()
    tooLong = true
    error("the script runs for too long", 0)
  end, "", count)
end
local function unlimit()
  sethook()
  tooLong = false
end
local plainCall = pcall
local function stopIfTooLong(...)
  if tooLong then error("the script runs for too long", 0) end
  return ...
end
function pcall(...) return stopIfTooLong(plainCall(...)) end
local plainHandledCall = xpcall
function xpcall(...) return stopIfTooLong(plainHandledCall(...)) end
debug = nil
package.loaded.debug, package.loaded.io, package.loaded.os = nil, io, os
package.loaded.rpm, package.loaded.posix = rpm, posix

-- What is there before any script runs; reset() brings it back.
local initial = {}
local function remember(owner)
  local copy = {}
  for key, value in pairs(owner) do copy[key] = value end
  initial[owner] = copy
end

__library = {
  reset = function()
    buffers, hooks, written, temporary = {}, {}, {}, 0
    for owner, copy in pairs(initial) do
      for key in pairs(owner) do if copy[key] == nil then owner[key] = nil end end
      for key, value in pairs(copy) do owner[key] = value end
    end
  end,
  run = function(script, name, options, words)
    local chunk, message = load("local opt, arg = ...;" .. script, name)
    if not chunk then return {message = "invalid syntax in lua script: " .. message} end
    local opt, arg = {}, {}
    for key, value in pairs(options) do opt[key] = value end
    for i, word in ipairs(words) do arg[i] = word end
    local depth = #buffers
    buffers[depth + 1] = {}
    if depth == 0 then limit(20000000) end
    local results = table.pack(plainCall(chunk, opt, arg))
    if depth == 0 then unlimit() end
    if results[1] and results.n > 1 then print(table.unpack(results, 2, results.n)) end
    local output = table.concat(buffers[depth + 1])
    for i = #buffers, depth + 1, -1 do buffers[i] = nil end
    if not results[1] then return {message = tostring(results[2])} end
    return {text = output}
  end,
  call = function(name, values)
    local target = _G
    for step in name:gmatch("[^.:]+") do target = type(target) == "table" and target[step] or nil end
    if type(target) ~= "function" then return {message = "no such function: " .. name} end
    local arguments = {}
    for i, value in ipairs(values) do arguments[i] = value end
    if #buffers == 0 then limit(20000000) end
    local done, result = plainCall(target, table.unpack(arguments))
    if #buffers == 0 then unlimit() end
    if not done then return {message = tostring(result)} end
    return {text = tostring(result == nil and "" or result)}
  end,
  check = function(script)
    local chunk, message = load(script, "scriptlet")
    if chunk then return nil end
    return message
  end,
  lists = function(s, sn, p, pn)
    sources, source_nums, patches, patch_nums = {}, {}, {}, {}
    for i, value in ipairs(s) do sources[i], source_nums[i] = value, math.tointeger(sn[i]) end
    for i, value in ipairs(p) do patches[i], patch_nums[i] = value, math.tointeger(pn[i]) end
  end,
}
for _, owner in ipairs({_G, package.loaded, package.preload, string, table, math, utf8, rpm, posix, io, os}) do remember(owner) end
`;
