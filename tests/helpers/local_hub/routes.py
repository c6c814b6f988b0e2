"""What the local Hub answers: the routes that the clients (huggingface_hub, transformers, datasets, evaluate) use.

`Routes.answer` maps one request to one answer and knows no sockets. Left out: pull requests, gated repositories (plan a
fault with `X-Error-Code: GatedRepo`), Xet, search, and multipart uploads: the client sends single PUTs if the LFS batch
says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from .messages import Answer, Call, byte_range, error_answer, front_matter, json_answer, timestamp
from .store import KINDS, Commit, HubError, Repository, Store, StoredFile, check_path, folders, is_lfs

USER = "tester"
WRITE_TOKEN = "local-hub-token"
READ_TOKEN = "local-hub-read-token"
_ROLES = {WRITE_TOKEN: "write", READ_TOKEN: "read"}

# Values that validate-yaml accepts, of the many the Hub knows: those a text model may have.
PIPELINE_TAGS = {
    "token-classification", "text-classification", "feature-extraction", "fill-mask", "question-answering", "other",
    "text-generation", "summarization", "translation", "zero-shot-classification", "sentence-similarity",
}  # fmt: skip


Handler = Callable[..., Answer]
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []

_REPO = rf"(?P<kind>{'|'.join(KINDS)})/(?P<repo_id>[^/]+/[^/]+)"
_FILES = r"(?:(?P<kind>datasets|spaces)/)?(?P<repo_id>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Register a handler for a method and the whole (still quoted) path; named groups become its arguments."""

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(pattern), handler))
        return handler

    return register


class Routes:
    """The answers of one Hub. The caller makes sure that one request is answered at a time.

    Args:
        store: What there is to serve.
        url: Where the Hub is reached, without a slash at the end.
        page_size: Entries of a listing per page.
    """

    def __init__(self, store: Store, url: str, page_size: int = 1000):
        self.store = store
        self.url = url
        self.page_size = page_size

    def answer(self, call: Call) -> Answer:
        """Answer a request; every refusal is an answer too."""
        method = "GET" if call.method == "HEAD" else call.method
        try:
            for expected, pattern, handler in _ROUTES:
                if expected == method and (match := pattern.fullmatch(call.path)):
                    arguments = {name: unquote(value or "") for name, value in match.groupdict().items()}
                    if "kind" in arguments:
                        arguments["kind"] = arguments["kind"] or "models"
                    return handler(self, call, **arguments)
            if re.match(r"/api/(models|datasets|spaces)/|.*/resolve/", call.path):  # such as a repo without a namespace
                raise self._no_repo(call)
            raise HubError(404, f"The local Hub has no route {call.method} {call.path}")
        except HubError as error:
            return error_answer(error)

    # ---- who may do what

    def role(self, call: Call) -> str | None:
        """Return "write", "read" or, for anonymous callers, None.

        Raises:
            HubError: 401 for a token that is not the Hub's.
        """
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in _ROLES:
            raise HubError(401, "Invalid credentials in Authorization header")
        return _ROLES.get(token)

    def _no_repo(self, call: Call) -> HubError:
        # The real Hub tells anonymous callers 401, which the client takes for a missing repository on https only. The
        # code makes it do so on plain http too.
        if self.role(call) is None:
            return HubError(401, "Invalid username or password.", "RepoNotFound")
        return HubError(404, "Repository not found", "RepoNotFound")

    def readable(self, call: Call, kind: str, repo_id: str) -> Repository:
        """Return a repository the caller may see."""
        repo = self.store.repositories.get((kind, repo_id))
        role = self.role(call)  # first, as a wrong token is refused for public repositories too
        if repo is None or (repo.private and role is None):
            raise self._no_repo(call)
        return repo

    def writable(self, call: Call, kind: str, repo_id: str) -> Repository:
        """Return a repository the caller may change."""
        repo = self.readable(call, kind, repo_id)
        if self.role(call) is None:
            raise self._no_repo(call)
        self.may_write(call)
        return repo

    def may_write(self, call: Call) -> None:
        """Raise unless the caller may write."""
        role = self.role(call)
        if role is None:
            raise HubError(401, "Invalid username or password.")
        if role != "write":
            raise HubError(403, "Forbidden: you must use a write token to upload to a repository.")

    # ---- the Hub as a whole

    @route("GET", "/api/whoami-v2")
    def whoami(self, call: Call) -> Answer:
        role = self.role(call)
        if role is None:
            raise HubError(401, "Invalid username or password.")
        token = {"displayName": "local", "role": role}
        user: dict[str, Any] = {"type": "user", "id": "0", "name": USER, "fullname": USER, "email": None, "orgs": []}
        return json_answer({**user, "auth": {"type": "access_token", "accessToken": token}})

    @route("GET", "/api/agent-harnesses")
    def agent_harnesses(self, call: Call) -> Answer:
        return json_answer({})

    @route("POST", "/api/validate-yaml")
    def validate_yaml(self, call: Call) -> Answer:
        """Check what can be checked without a YAML parser: the fence, and the value of `pipeline_tag`."""
        content = call.json.get("content", "")
        errors: list[str] = []
        if content.startswith("---") and not re.match(r"---\r?\n.*?\r?\n---\s*(\n|$)", content, re.DOTALL):
            errors.append("YAML front matter is not closed by a line of ---")
        tag = front_matter(content).get("pipeline_tag")
        if tag is not None and tag not in PIPELINE_TAGS:
            errors.append(f'"pipeline_tag" must be one of {sorted(PIPELINE_TAGS)}, got {tag!r}')
        found = {"errors": [{"message": error} for error in errors], "warnings": []}
        return json_answer(found, 400 if errors else 200)

    @route("POST", "/api/repos/create")
    def create_repo(self, call: Call) -> Answer:
        self.may_write(call)
        asked = call.json
        kind = asked.get("type", "model") + "s"
        repo_id = f"{asked.get('organization') or USER}/{asked['name']}"
        url = f"{self.url}/{'' if kind == 'models' else kind + '/'}{repo_id}"
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        try:
            self.store.create(kind, repo_id, private=private, sdk=asked.get("sdk"))
        except HubError as error:
            if error.status != 409:
                raise
            return json_answer({"error": error.message, "url": url}, 409)
        return json_answer({"url": url, "name": repo_id, "private": private})

    @route("DELETE", "/api/repos/delete")
    def delete_repo(self, call: Call) -> Answer:
        asked = call.json
        repo = self.writable(
            call, asked.get("type", "model") + "s", f"{asked.get('organization') or USER}/{asked['name']}"
        )
        del self.store.repositories[repo.kind, repo.repo_id]
        return json_answer({})

    # ---- reading a repository

    @route("GET", f"/api/{_REPO}")
    @route("GET", f"/api/{_REPO}/revision/{_REVISION}")
    def info(self, call: Call, kind: str, repo_id: str, revision: str = "main") -> Answer:
        repo = self.readable(call, kind, repo_id)
        commit = repo.resolve(revision)
        siblings = [
            {"rfilename": path, **(self._sizes(file) if call.flag("blobs") else {})}
            for path, file in sorted(commit.files.items())
        ]
        readme = commit.files.get("README.md")
        card = front_matter(self.store.content(readme).decode(errors="replace")) if readme else {}
        named: dict[str, Any] = {name: card[name] for name in ("library_name", "pipeline_tag") if name in card}
        tags = [*named.values(), *(card["tags"] if isinstance(card.get("tags"), list) else [])]
        first = list(repo.history(commit))[-1]
        about: dict[str, Any] = {
            "_id": "0", "id": repo_id, "author": repo_id.split("/")[0], "sha": commit.oid, "private": repo.private,
            "lastModified": timestamp(commit.date), "createdAt": timestamp(first.date), "tags": tags,
            "gated": False, "disabled": False, "downloads": 0, "likes": 0, "siblings": siblings,
        }  # fmt: skip
        if kind == "models":
            about |= {"modelId": repo_id, **named}
        if kind == "spaces":
            about["sdk"] = repo.sdk
        return json_answer(about)

    @staticmethod
    def _sizes(file: StoredFile) -> dict[str, Any]:
        lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
        return {"size": file.size, "blobId": file.git_oid, **({"lfs": lfs} if file.lfs else {})}

    def _entry(self, repo: Repository, commit: Commit, path: str, expand: bool) -> dict[str, Any] | None:
        """What listings say about a file or folder; None where there is neither."""
        file = commit.files.get(path)
        if file is not None:
            entry: dict[str, Any] = {"type": "file", "path": path, "size": file.size, "oid": file.git_oid}
            if file.lfs:
                entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
        elif inside := sorted((name, f.git_oid) for name, f in commit.files.items() if name.startswith(path + "/")):
            entry = {
                "type": "directory",
                "path": path,
                "size": 0,
                "oid": hashlib.sha1(repr(inside).encode()).hexdigest(),
            }
        else:
            return None
        if expand:
            last = repo.last_change(commit, path)
            entry["lastCommit"] = {"id": last.oid, "title": last.title, "date": timestamp(last.date)}
        return entry

    @route("GET", f"/api/{_REPO}/tree/{_REVISION}")
    @route("GET", f"/api/{_REPO}/tree/{_REVISION}/(?P<folder>.*)")
    def tree(self, call: Call, kind: str, repo_id: str, revision: str, folder: str = "") -> Answer:
        repo = self.readable(call, kind, repo_id)
        commit = repo.resolve(revision)
        inside = folder.strip("/") + "/" if folder.strip("/") else ""
        paths = [path for path in {*commit.files, *folders(commit.files)} if path.startswith(inside)]
        if inside and not paths:
            raise HubError(
                404, f"{folder} does not exist on {revision!r}", "EntryNotFound", {"X-Repo-Commit": commit.oid}
            )
        if not call.flag("recursive"):
            paths = [path for path in paths if "/" not in path[len(inside) :]]
        start = int(call.query.get("cursor", ["0"])[-1])
        page = sorted(paths)[start : start + self.page_size]
        entries = [self._entry(repo, commit, path, call.flag("expand")) for path in page]
        headers = {}
        if start + self.page_size < len(paths):
            query = urlencode({**call.query, "cursor": [start + self.page_size]}, doseq=True)
            headers["Link"] = f'<{self.url}{call.path}?{query}>; rel="next"'
        return json_answer(entries, headers=headers)

    @route("POST", f"/api/{_REPO}/paths-info/{_REVISION}")
    def paths_info(self, call: Call, kind: str, repo_id: str, revision: str) -> Answer:
        repo = self.readable(call, kind, repo_id)
        commit = repo.resolve(revision)
        form = parse_qs(call.body.decode()) if not call.body.startswith(b"{") else call.json
        expand = str(form.get("expand", [""])[-1]).lower() == "true"
        entries = [self._entry(repo, commit, path, expand) for path in form.get("paths", [])]
        return json_answer([entry for entry in entries if entry])

    @route("GET", f"/api/{_REPO}/refs")
    def refs(self, call: Call, kind: str, repo_id: str) -> Answer:
        repo = self.readable(call, kind, repo_id)
        branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": oid} for n, oid in repo.branches.items()]
        tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": oid} for n, oid in repo.tags.items()]
        return json_answer({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})

    @route("GET", f"/api/{_REPO}/commits/{_REVISION}")
    def commits(self, call: Call, kind: str, repo_id: str, revision: str) -> Answer:
        repo = self.readable(call, kind, repo_id)
        found = [
            {
                "id": c.oid,
                "title": c.title,
                "message": c.message,
                "date": timestamp(c.date),
                "authors": [{"user": USER}],
            }
            for c in repo.history(repo.resolve(revision))
        ]
        return json_answer(found)

    @route("GET", f"/api/{_REPO}/auth-check")
    def auth_check(self, call: Call, kind: str, repo_id: str) -> Answer:
        self.readable(call, kind, repo_id)
        return json_answer({})

    @route("GET", f"/api/{_REPO}/discussions")
    def discussions(self, call: Call, kind: str, repo_id: str) -> Answer:
        self.readable(call, kind, repo_id)
        return json_answer({"discussions": [], "count": 0, "start": 0})

    @route("GET", f"/{_FILES}/(?:resolve|raw)/{_REVISION}/(?P<path>.+)")
    def resolve(self, call: Call, kind: str, repo_id: str, revision: str, path: str) -> Answer:
        repo = self.readable(call, kind, repo_id)
        commit = repo.resolve(revision)
        file = repo.file(commit, path)
        content = self.store.content(file)
        headers = {
            "ETag": f'"{file.etag}"',
            "X-Repo-Commit": commit.oid,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream" if file.lfs else "text/plain; charset=utf-8",
        }
        if file.lfs:
            headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
        asked = byte_range(call.headers.get("range"), file.size)
        if asked is None:
            return Answer(200, content, headers)
        headers["Content-Range"] = f"bytes {asked[0]}-{asked[1] - 1}/{file.size}"
        return Answer(206, content[slice(*asked)], headers)

    # ---- changing a repository

    @route("PUT", f"/api/{_REPO}/settings")
    def settings(self, call: Call, kind: str, repo_id: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        if "visibility" in call.json:
            repo.private = call.json["visibility"] == "private"
        return json_answer({})

    @route("POST", f"/api/{_REPO}/branch/(?P<name>[^/]+)")
    def create_branch(self, call: Call, kind: str, repo_id: str, name: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        if name in repo.branches:
            raise HubError(409, f"Reference already exists: refs/heads/{name}")
        repo.branches[name] = repo.resolve(call.json.get("startingPoint") or "main").oid
        return json_answer({})

    @route("DELETE", f"/api/{_REPO}/branch/(?P<name>[^/]+)")
    def delete_branch(self, call: Call, kind: str, repo_id: str, name: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        if name == "main":
            raise HubError(400, "The main branch cannot be deleted")
        if repo.branches.pop(name, None) is None:
            raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return json_answer({})

    @route("POST", f"/api/{_REPO}/tag/{_REVISION}")
    def create_tag(self, call: Call, kind: str, repo_id: str, revision: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        name = call.json["tag"]
        if name in repo.tags:
            raise HubError(409, f"Tag reference exists already: {name}")
        repo.tags[name] = repo.resolve(revision).oid
        return json_answer({})

    @route("DELETE", f"/api/{_REPO}/tag/(?P<name>[^/]+)")
    def delete_tag(self, call: Call, kind: str, repo_id: str, name: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        if repo.tags.pop(name, None) is None:
            raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return json_answer({})

    @route("POST", f"/api/{_REPO}/preupload/{_REVISION}")
    def preupload(self, call: Call, kind: str, repo_id: str, revision: str) -> Answer:
        """Tell for each file whether it goes through LFS, and what stands there now."""
        repo = self.writable(call, kind, repo_id)
        now = repo.resolve(revision).files
        told = []
        for file in call.json["files"]:
            path = check_path(file["path"])
            lfs = is_lfs(path, file["size"], base64.b64decode(file.get("sample", "")))
            oid = now[path].etag if path in now else None
            told.append({"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False, "oid": oid})
        return json_answer({"files": told})

    @route("POST", rf"/{_FILES}\.git/info/lfs/objects/batch")
    def lfs_batch(self, call: Call, kind: str, repo_id: str) -> Answer:
        """Tell where to PUT each content that is not here yet."""
        self.writable(call, kind, repo_id)
        told = []
        for wanted in call.json["objects"]:
            # No header with `chunk_size`: the client then sends one PUT, whatever it offered.
            actions = {
                "upload": {"href": f"{self.url}/lfs/{wanted['oid']}"},
                "verify": {"href": f"{self.url}/lfs/verify"},
            }
            told.append(
                {**wanted, "authenticated": True, **({} if wanted["oid"] in self.store else {"actions": actions})}
            )
        return json_answer({"transfer": "basic", "objects": told})

    @route("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
    def lfs_upload(self, call: Call, oid: str) -> Answer:
        """Take a content; like a signed address of a storage service, it asks for no token."""
        if (actual := hashlib.sha256(call.body).hexdigest()) != oid:
            raise HubError(400, f"The SHA-256 of the upload is {actual}, expected {oid}")
        self.store.put(call.body)
        return Answer()

    @route("POST", "/lfs/verify")
    def lfs_verify(self, call: Call) -> Answer:
        self.may_write(call)
        if self.store.lfs(call.json["oid"]).size != call.json["size"]:
            raise HubError(400, f"Wrong size for LFS object {call.json['oid']}")
        return json_answer({})

    @route("POST", f"/api/{_REPO}/commit/{_REVISION}")
    def commit(self, call: Call, kind: str, repo_id: str, revision: str) -> Answer:
        repo = self.writable(call, kind, repo_id)
        if call.flag("create_pr"):
            raise HubError(400, "The local Hub has no pull requests")
        lines = [json.loads(line) for line in call.body.splitlines() if line.strip()]
        header: dict[str, str] = next((line["value"] for line in lines if line["key"] == "header"), {})
        if revision not in repo.branches:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        parent = header.get("parentCommit")
        if parent is not None and not repo.branches[revision].startswith(parent):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.resolve(revision).files)
        for line in lines:
            self._change(files, line["key"], line["value"])
        made = repo.commit(revision, files, header.get("summary", ""), header.get("description", ""))
        url = f"{self.url}/{'' if kind == 'models' else kind + '/'}{repo_id}/commit/{made.oid}"
        return json_answer({"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})

    def _change(self, files: dict[str, StoredFile], key: str, value: dict[str, Any]) -> None:
        """Apply one line of a commit to a snapshot."""
        if key == "file":
            try:
                content = base64.b64decode(value["content"], validate=True)
            except binascii.Error as error:
                raise HubError(400, f"Invalid base64 for {value['path']}: {error}") from None
            files[check_path(value["path"])] = self.store.regular(content)
        elif key == "lfsFile":
            files[check_path(value["path"])] = self.store.lfs(value["oid"])
        elif key == "deletedFile":
            if files.pop(value["path"], None) is None:
                raise HubError(404, f"A file with this name doesn't exist: {value['path']}", "EntryNotFound")
        elif key == "deletedFolder":
            for path in [path for path in files if path.startswith(value["path"].rstrip("/") + "/")]:
                del files[path]
        elif key != "header":
            raise HubError(400, f"Unknown operation: {key}")
