"""Asks libsolv: reads one JSON question from standard input, writes the answers in the same order as JSON.

{"cases": [{"packages": [text], "requirements": [text]}]}  packages in the notation of the tests' repositories
{"primary": path, "filelists": path}                       every package of a repository is asked for

An answer has the NEVRAs to install in "members"; null when libsolv finds no solution.
"""
import json
import sys

import solv

COMPARISONS = {
    "<": solv.REL_LT,
    "<=": solv.REL_LT | solv.REL_EQ,
    "=": solv.REL_EQ,
    ">=": solv.REL_GT | solv.REL_EQ,
    ">": solv.REL_GT,
}
ARRAYS = {
    "+": solv.SOLVABLE_PROVIDES,
    "-": solv.SOLVABLE_REQUIRES,
    "!": solv.SOLVABLE_CONFLICTS,
    "~": solv.SOLVABLE_OBSOLETES,
}


def new_pool():
    pool = solv.Pool()
    # The library of Debian follows its own rules unless it is told.
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    return pool


def dependency(pool, text):
    if text.startswith("("):
        return pool.parserpmrichdep(text)
    words = text.split()
    plain = pool.Dep(words[0])
    return plain.Rel(COMPARISONS[words[1]], pool.Dep(words[2])) if len(words) == 3 else plain


def add_package(pool, repo, text):
    for line in text.split("\n"):
        mark, body = line.split(" ", 1)
        if mark == "P:":
            name, evr = body.split()[:2]
            solvable = repo.add_solvable()
            solvable.name, solvable.evr, solvable.arch = name, evr, "x86_64"
            solvable.add_deparray(solv.SOLVABLE_PROVIDES, dependency(pool, f"{name} = {evr}"))
        else:
            solvable.add_deparray(ARRAYS[mark], dependency(pool, body))


def install(pool, solvable):
    solver = pool.Solver()
    solver.set_flag(solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED, 1)
    if solver.solve([pool.Job(solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE, solvable.id)]):
        return None
    return sorted(str(one) for one in solver.transaction().newsolvables() if one.name != "question")


def answer_case(case):
    pool = new_pool()
    repo = pool.add_repo("case")
    for text in case["packages"]:
        add_package(pool, repo, text)
    question = repo.add_solvable()
    question.name, question.evr, question.arch = "question", "1-1", "x86_64"
    question.add_deparray(solv.SOLVABLE_PROVIDES, dependency(pool, "question = 1-1"))
    for text in case["requirements"]:
        question.add_deparray(solv.SOLVABLE_REQUIRES, dependency(pool, text))
    pool.createwhatprovides()
    return {"members": install(pool, question)}


def answer_metadata(primary, filelists):
    pool = new_pool()
    repo = pool.add_repo("metadata")
    extend = solv.Repo.REPO_LOCALPOOL | solv.Repo.REPO_EXTEND_SOLVABLES
    for path, language, flags in ((primary, None, 0), (filelists, "FL", extend)):
        if not repo.add_rpmmd(solv.xfopen(path), language, flags):
            raise SystemExit(f"{path}: {pool.errstr}")
    pool.addfileprovides()
    pool.createwhatprovides()
    packages = [one for one in repo.solvables if one.arch not in ("src", "nosrc")]
    return [{"package": str(one), "members": install(pool, one)} for one in packages]


asked = json.load(sys.stdin)
cases = asked.get("cases")
answers = answer_metadata(**asked) if cases is None else [answer_case(case) for case in cases]
json.dump(answers, sys.stdout)
