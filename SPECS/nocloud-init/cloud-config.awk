# Reads the part of YAML that README names, and writes a line for each value:
#   <path><tab><value>        path: hostname, users[0].name, ...; in values \\, \n and \t stand for backslash, line feed, tab
#   <path>[]<tab><number>     a list and how many items it has
# What it does not understand is an error that names the line; nothing is written then.

function fail(what) {
    printf "%s:%d: %s\n", FILENAME, NR, what > "/dev/stderr"
    failed = 1
    exit 1
}

function escaped(value) {
    gsub(/\\/, "&&", value)
    gsub(/\n/, "\\n", value)
    gsub(/\t/, "\\t", value)
    return value
}

function emit(path, value) {
    if (path in seen) fail("\"" path "\" is there twice")
    seen[path] = 1
    out[++lines] = path "\t" escaped(value)
}

# The text without what is after it and a comment.
function only_comment_after(rest) {
    if (rest !~ /^[ \t]*(#.*)?$/ || rest ~ /^#/) fail("unexpected \"" rest "\" after a value")
}

# Value of the quoted text that begins `text`; what follows it is in `after`.
function quoted(text,    quote, value, i, c) {
    quote = substr(text, 1, 1)
    value = ""
    for (i = 2; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == quote) {
            if (quote == "'" && substr(text, i + 1, 1) == "'") { value = value c; i++; continue }
            after = substr(text, i + 1)
            return value
        }
        if (c == "\\" && quote == "\"") {
            c = substr(text, ++i, 1)
            if (c == "n") c = "\n"
            else if (c == "t") c = "\t"
            else if (c !~ /["\\\/ ]/) fail("the escape \\" c " is not understood")
        }
        value = value c
    }
    fail("a quote is not closed on its line")
}

# [a, "b", 'c']: values of one line.
function flow_list(path, text,    count, value) {
    text = substr(text, 2)
    count = 0
    while (1) {
        sub(/^[ \t]+/, "", text)
        if (text ~ /^\]/) break
        if (text == "") fail("a list is not closed on its line")
        if (text ~ /^["']/) {
            value = quoted(text)
            text = after
        } else {
            if (text ~ /^[\[{&*!|>%@`]/) fail("in [...] only plain values are understood")
            match(text, /^[^],]*/)
            value = substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
            sub(/[ \t]+$/, "", value)
        }
        emit(path "[" count++ "]", value)
        sub(/^[ \t]+/, "", text)
        if (text ~ /^,/) text = substr(text, 2)
        else if (text !~ /^\]/) fail("a list lacks \",\" or \"]\"")
    }
    only_comment_after(substr(text, 2))
    counts[path] = count
}

function scalar(path, text,    value) {
    if (text ~ /^["']/) {
        value = quoted(text)
        only_comment_after(after)
        emit(path, value)
    } else if (text ~ /^\[/) {
        flow_list(path, text)
    } else if (text ~ /^[{&*!%@`>]/) {
        fail("a value that begins with " substr(text, 1, 1) " is not understood")
    } else {
        sub(/[ \t]+#.*$/, "", text)
        sub(/[ \t]+$/, "", text)
        if (text ~ /: / || text ~ /:$/) fail("a value with \": \" needs quotes")
        emit(path, text)
    }
}

# Opens a container of `kind` at `column` for the value that is due, or finds the one that is open there.
function container(kind, column) {
    while (depth > 0 && columns[depth] > column) depth--
    if (depth > 0 && columns[depth] == column && kinds[depth] == "list" && kind == "map") depth--
    if (depth > 0 && columns[depth] == column && kinds[depth] == kind) return
    if (!due || (depth > 0 && columns[depth] == column && kind == "map")) fail("the indentation belongs to nothing above")
    if (depth > 0 && columns[depth] > column) fail("the indentation belongs to nothing above")
    depth++
    columns[depth] = column
    kinds[depth] = kind
    paths[depth] = due_path
    if (kind == "list") counts[due_path] = 0
}

function entry(text, column,    key, path, rest) {
    if (text ~ /^-( |$)/) {
        container("list", column)
        path = paths[depth] "[" counts[paths[depth]]++ "]"
        rest = substr(text, 2)
        match(rest, /^ */)
        due = 1
        due_path = path
        if (rest !~ /^ *(#.*)?$/) entry(substr(rest, RLENGTH + 1), column + 1 + RLENGTH)
        return
    }
    if (match(text, /^[A-Za-z0-9_.\/-]+ *:( |$)/)) {
        key = substr(text, 1, RLENGTH)
        rest = substr(text, RLENGTH + 1)
        sub(/ *: ?$/, "", key)
        container("map", column)
        path = paths[depth] == "" ? key : paths[depth] "." key
        if (path in keys) fail("\"" path "\" is there twice")
        keys[path] = 1
        sub(/^[ \t]+/, "", rest)
        if (rest == "" || rest ~ /^#/) {
            due = 1
            due_path = path
            return
        }
        due = 0
        value_of(path, rest, column)
        return
    }
    if (!due || text ~ /^["'][^"']*["'] *:/) fail("this is neither \"key: value\" nor \"- value\"")
    due = 0
    value_of(due_path, text, depth > 0 ? columns[depth] : -1)
}

function value_of(path, text, column) {
    if (text !~ /^\|/) {
        scalar(path, text)
        return
    }
    if (text !~ /^\|[-+]?[ \t]*$/ && text !~ /^\|[-+]?[ \t]+#/) fail("of block values only |, |- and |+ are understood")
    literal = 1
    literal_path = path
    literal_end = substr(text, 2, 1)
    literal_parent = column
    literal_column = -1
    literal_text = ""
    literal_blank = ""
}

function end_literal() {
    if (literal_end == "+") literal_text = literal_text literal_blank
    else if (literal_end == "-") sub(/\n$/, "", literal_text)
    emit(literal_path, literal_text)
    literal = 0
}

BEGIN {
    due = 1
    due_path = ""
}

{
    sub(/\r$/, "")
    match($0, /^ */)
    column = RLENGTH
    text = substr($0, column + 1)
    if (literal) {
        if (text == "") {
            literal_blank = literal_blank "\n"
            next
        }
        if (literal_column < 0 && column > literal_parent) literal_column = column
        if (literal_column >= 0 && column >= literal_column) {
            literal_text = literal_text literal_blank substr($0, literal_column + 1) "\n"
            literal_blank = ""
            next
        }
        end_literal()
    }
    if (text == "" || text ~ /^#/) next
    if (text ~ /^\t/) fail("a tab in the indentation")
    if ($0 ~ /^---[ \t]*$/ && !begun) { begun = 1; next }
    if ($0 ~ /^(---|\.\.\.)/) fail("more than one document")
    begun = 1
    entry(text, column)
}

END {
    if (failed) exit 1
    if (literal) end_literal()
    for (i = 1; i <= lines; i++) print out[i]
    for (path in counts) print path "[]\t" counts[path]
}
