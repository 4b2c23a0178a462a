"""What a tool is called and says, and how dangerous it is taken for."""

from __future__ import annotations

import json
import random

import pytest

from intercept.catalogue.risk import FLAGS, SEVERITY, Category, Risk, Verdict, classify
from intercept.catalogue.risk.overrides import OVERRIDES
from intercept.values import Json

READ, WRITE, EXECUTE, DESTRUCTIVE, FINANCIAL = Category


def tool(name: str, description: str = "", *, hints: Json = None, **arguments: Json) -> Verdict:
    """The verdict on a tool with these arguments: a schema, a list of values, or the description of a text."""
    properties: dict[str, Json] = {}
    for key, value in arguments.items():
        match value:
            case str():
                properties[key] = {"type": "string", "description": value}
            case list():
                properties[key] = {"type": "string", "enum": value}
            case _:
                properties[key] = value
    schema: Json = {"type": "object", "properties": properties}
    definition: dict[str, Json] = {"name": name, "description": description, "inputSchema": schema}
    return classify(definition | ({"annotations": hints} if hints is not None else {}))


def _texts(argument: str) -> dict[str, Json]:
    return {argument: "what to run"}


@pytest.mark.parametrize(
    ("name", "description", "category"),
    [
        ("list_boards", "List the boards of a workspace.", READ),
        ("getBoardV2", "", READ),
        ("board-get", "", READ),
        ("boards_list", "", READ),
        ("acme_get_board", "", READ),
        ("board", "This tool can be used to fetch one board.", READ),
        ("merge_request_list", "List merge requests", READ),
        ("directory_tree", "Get a tree of folders", READ),
        ("describe-instances", "Describes instances, and never changes them", READ),
        ("take_screenshot", "Take a screenshot of the page", READ),
        ("start_search", "Start a search for files", READ),
        ("boards_rapports", "Récupère les rapports", READ),
        ("listado", "Obtiene las tareas", READ),
        ("feedback_link", "Generate a link for feedback", READ),
        ("plan_route", "Plan a route", READ),
        ("board_content", "Obtain the content of a board", READ),
        ("mobile_get_logs", "Collect the logs of a device", READ),
        ("reverse_text", "Reverse a text", READ),
        ("coding_rules", "Always call it before writing code", READ),
        ("board_statistics", "Numbers of boards", READ),
        ("payments_report", "", READ),
        ("generate_passphrase", "Generate a passphrase", READ),
        ("map_image", "Generate a static map image", READ),
        ("geocoder", "Reverse geocode a point", READ),
        ("onboarding", "Start here if you are new. Provides a tour of the boards", READ),
        ("ask_question", "Ask a question about a repository", READ),
        ("generate_deeplink", "Generate a link to a board", READ),
        ("create_board", "Create a board", WRITE),
        ("board_settings", "Updates the settings of a board", WRITE),
        ("send_sms", "Send a text message", WRITE),
        ("mark_chat_as_read", "Mark a chat as read", WRITE),
        ("resolve_thread", "Resolve a review thread", WRITE),
        ("maintenance", "Enable maintenance mode", WRITE),
        ("clear_cache", "Clear the cache", WRITE),
        ("tablero", "Actualiza una tarea", WRITE),
        ("create_pipeline_schedule", "Create a schedule of a pipeline", WRITE),
        ("registry_login", "Log into a registry", WRITE),
        ("settings", "Manage settings: for all boards", WRITE),
        ("share_link", "Generate a link for sharing", WRITE),
        ("create_list", "Create a list (a pipeline, a queue)", WRITE),
        ("stop_time_entry", "Stop a running time entry", WRITE),
        ("remove_background", "Remove the background of a picture", WRITE),
        ("export", "Export a board to a file", WRITE),
        ("import_asset", "Download an asset and bring it into the scene", WRITE),
        ("browser_save_pdf", "Save the page", WRITE),
        ("xreadgroup", "Read entries as one of a group", WRITE),
        ("rebuild_index", "Rebuild the index", EXECUTE),
        ("restart_server", "Restart a server", EXECUTE),
        ("server_action", "Reboots the machine", EXECUTE),
        ("kick_off", "Trigger a deployment", EXECUTE),
        ("create_deployment", "Create a deployment", EXECUTE),
        ("cancel_workflow_run", "Cancel a run", EXECUTE),
        ("text_to_speech", "Convert text to speech", EXECUTE),
        ("hook", "Enables users to trigger a sync", EXECUTE),
        ("send_command", "Send a command to the device", EXECUTE),
        ("browser_click", "Click an element", EXECUTE),
        ("browser_select_option", "Select an option in a dropdown", EXECUTE),
        ("set_temperature", "Set the temperature of a room", EXECUTE),
        ("unlock_door", "Unlock a door", EXECUTE),
        ("scan_ports", "Scan the ports of a host", EXECUTE),
        ("focus", "Move the focus", EXECUTE),
        ("record_video", "Records a video of the screen", EXECUTE),
        ("trigger_event", "Ask the app to handle an event", EXECUTE),
        ("rerequest_check", "Rerequest a check", EXECUTE),
        ("delegate_task", "Delegate a task to an agent", EXECUTE),
        ("researcher", "Autonomous research agent", EXECUTE),
        ("request_anything", "Make a request to any endpoint of the API", EXECUTE),
        ("reset_device", "Reset the device", EXECUTE),
        ("screenshot_and_click", "Take a screenshot, then click", EXECUTE),
        ("build_and_push", "Build an image", EXECUTE),
        ("brute_force", "Fire requests at a host", EXECUTE),
        ("send_request", "Send an HTTP/1.1 request", EXECUTE),
        ("emit_event", "Emit an event", EXECUTE),
        ("system_update", "Update the system", EXECUTE),
        ("update_firmware", "", EXECUTE),
        ("choose_tab", "Select the tab", EXECUTE),
        ("simulate_call", "Simulate a call with an agent", EXECUTE),
        ("finish_migration", "Finish the migration", EXECUTE),
        ("delete_board", "Delete a board", DESTRUCTIVE),
        ("reset_device", "Reset the device to factory defaults", DESTRUCTIVE),
        ("schedule_key_deletion", "Schedules a key for deletion", DESTRUCTIVE),
        ("terminate_instances", "", DESTRUCTIVE),
        ("release_ip_address", "Release an address", DESTRUCTIVE),
        ("aufgabe", "Löscht eine Aufgabe", DESTRUCTIVE),
        ("rollback_snapshot", "Roll back. All changes after the snapshot are lost.", DESTRUCTIVE),
        ("api_destructive", "Destructive call of the API", DESTRUCTIVE),
        ("tidy", "Cleans up what is left", DESTRUCTIVE),
        ("database_import", "Imports a dump, which is destructive to what is there", DESTRUCTIVE),
        ("boards", "Manage boards: create, rename or delete", DESTRUCTIVE),
        ("put_board", "Replaces a board; removes the existing cards", DESTRUCTIVE),
        ("list_trim", "Trim a list", DESTRUCTIVE),
        ("admin", "Execute a destructive command", DESTRUCTIVE),
        ("rebuild_server", "Rebuild a server from an image", DESTRUCTIVE),
        ("reinstall", "Reinstalls the operating system", DESTRUCTIVE),
        ("disable_backups", "Disable backups of a machine", DESTRUCTIVE),
        ("firewall_off", "Deactivate the firewall", DESTRUCTIVE),
        ("reset_dns_zone", "Reset the records to their defaults", DESTRUCTIVE),
        ("board_cleanup", "Permanently delete old boards", DESTRUCTIVE),
        ("remove_member", "Remove a member from the team", DESTRUCTIVE),
        ("prune", "Removes what is not used", DESTRUCTIVE),
        ("create_refund", "Create a refund", FINANCIAL),
        ("refund", "", FINANCIAL),
        ("place_order", "Places an order", FINANCIAL),
        ("cancel_subscription", "Cancel a subscription", FINANCIAL),
        ("create_payment_link", "Create a link that collects money", FINANCIAL),
        ("update_adset", "Update an ad set", FINANCIAL),
        ("book_flight", "Book a flight", FINANCIAL),
        ("swap", "Swap tokens", FINANCIAL),
        ("mint_nft", "Mint an NFT", FINANCIAL),
        ("claim_rewards", "Claim rewards", FINANCIAL),
        ("remove_liquidity", "Remove liquidity from a pool", FINANCIAL),
        ("adjust_balance", "Adjust the balance of a customer", FINANCIAL),
        ("submit_checkout", "Submit the checkout", FINANCIAL),
        ("edit_sales_receipt", "", FINANCIAL),
        ("claim_fees", "", FINANCIAL),
        ("decrease_order", "Decrease an order", FINANCIAL),
        ("list_and_pay", "List what is due and pay it", FINANCIAL),
        ("reverse_transfer", "Reverse a transfer", FINANCIAL),
        ("enable_auto_renewal", "", FINANCIAL),
        ("accept_offer", "Accept an offer", FINANCIAL),
        ("order_food", "Order food", FINANCIAL),
        ("harvest_yield", "", FINANCIAL),
        ("wallet_topup", "Top up a wallet", FINANCIAL),
        ("create_qr_code", "Create a QR code for a payment", FINANCIAL),
        ("place_bet", "Place a bet", FINANCIAL),
        ("set_stop_loss", "Set a stop loss", FINANCIAL),
        ("rebalance_portfolio", "Rebalance a portfolio", FINANCIAL),
        ("accept_quote", "Accept a quote", FINANCIAL),
        ("enable_campaign", "Enable a campaign of ads", FINANCIAL),
        ("create_budget_schedule", "Raise the budget of a campaign for a day", FINANCIAL),
        ("upgrade_plan", "Upgrade the plan of a customer", FINANCIAL),
        ("create_adjustment", "Create an adjustment to refund a transaction.", FINANCIAL),
    ],
)  # fmt: skip
def test_the_verb_and_its_object_tell_the_class(name: str, description: str, category: Category) -> None:
    assert tool(name, description).category is category


@pytest.mark.parametrize(
    ("name", "description", "category"),
    [
        ("list_invoices", "List invoices", READ),
        ("get_refund", "Get a refund by id", READ),
        ("preview_invoice", "Preview what an invoice would charge", READ),
        ("get_subscription", "Get a webhook subscription", READ),
        ("create_webhook_subscription", "Create a webhook subscription", WRITE),
        ("create_payment_method_label", "Label a payment method", WRITE),
        ("create_product", "Create a product", WRITE),
        ("transfer_file", "Transfer a file to another folder", WRITE),
        ("create_card", "Create a card on a board", WRITE),
        ("renew_certificate", "Renew a certificate", WRITE),
        ("log_exercise", "Log an exercise", WRITE),
        ("withdraw_application", "Withdraw an application", WRITE),
        ("start_charge", "Start charging the car", EXECUTE),
    ],
)
def test_words_of_money_that_name_something_else_move_no_money(name: str, description: str, category: Category) -> None:
    assert tool(name, description).category is category


@pytest.mark.parametrize("name", ["frobnicate", "board", "", "x", "数据", "___"])
def test_what_no_word_tells_about_is_a_change(name: str) -> None:
    verdict = tool(name)

    assert verdict.category is WRITE
    assert "unclear" in verdict.flags


@pytest.mark.parametrize(
    "definition", [None, [], {}, {"name": 7, "description": [], "inputSchema": "no"}, {"name": None}]
)
def test_a_malformed_definition_is_unclear_and_no_error(definition: Json) -> None:
    assert "unclear" in classify(definition).flags


def test_a_description_that_says_more_than_the_name_raises_the_class() -> None:
    assert tool("get_draft", "Get or create a draft").category is WRITE
    assert tool("boards", "List, create, update or delete boards").category is DESTRUCTIVE


def test_a_name_that_reads_is_not_believed_where_the_description_stores() -> None:
    assert tool("get_summary", "Get a summary and also stores the text in the index").category is WRITE


def test_a_noun_that_is_also_a_verb_gives_way_to_the_description() -> None:
    assert tool("pipelines_run", "Retrieve data of a pipeline run").category is READ
    assert tool("issue_log", "Show the log of an issue").category is READ


def test_other_tools_and_arguments_in_a_description_count_for_nothing() -> None:
    text = "List boards.\n\nUse delete_board to delete one.\n\nArgs:\n    force: delete without asking"

    assert tool("list_boards", text).category is READ


# --- arguments --------------------------------------------------------------------------------------------------------


def test_a_tool_of_several_actions_is_as_dangerous_as_the_worst_of_them() -> None:
    verdict = tool("boards", "Work with boards", action=["list", "get", "archive", "delete_board"])

    assert verdict.category is DESTRUCTIVE
    assert verdict.choice is not None
    assert verdict.choice.path == ("action",)
    assert [(action.value, action.category) for action in verdict.choice.actions] == [
        ("list", READ), ("get", READ), ("archive", WRITE), ("delete_board", DESTRUCTIVE),
    ]  # fmt: skip
    assert "multi-action" in verdict.flags
    assert verdict.evidence == ("argument `action` can be `delete_board`",)


def test_the_choosing_argument_is_found_one_level_down_and_in_alternatives() -> None:
    inner: Json = {"type": "object", "properties": {"operation": {"enum": ["read", "purge"]}}}
    variant: Json = {
        "oneOf": [{"properties": {"method": {"const": "get"}}}, {"properties": {"method": {"const": "drop"}}}]
    }

    assert tool("table", "", params=inner).category is DESTRUCTIVE
    assert tool("table", "", method={"anyOf": [{"const": "get"}, {"const": "drop"}]}).category is DESTRUCTIVE
    assert classify({"name": "table", "inputSchema": variant}).category is DESTRUCTIVE


def test_the_choosing_argument_is_found_in_the_elements_of_a_list() -> None:
    change: Json = {"properties": {"path": {"type": "string"}, "action": {"enum": ["create", "update", "delete"]}}}
    verdict = tool("push_changes", "Push changes", changes={"type": "array", "items": change})

    assert verdict.category is DESTRUCTIVE
    assert verdict.choice is not None
    assert verdict.choice.path == ("changes", "[*]", "action")
    assert verdict.evidence == ("argument `changes[*].action` can be `delete`",)


def test_the_choosing_argument_is_found_in_references_and_in_alternatives_of_list_elements() -> None:
    kinds: Json = [{"properties": {"action": {"const": word}}} for word in ("add", "purge")]
    schema: Json = {"properties": {"steps": {"items": {"$ref": "#/$defs/Step"}}}, "$defs": {"Step": {"oneOf": kinds}}}
    optional: Json = {"properties": {"action": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}}
    assert isinstance(optional, dict)

    assert classify({"name": "apply_steps", "inputSchema": schema}).category is DESTRUCTIVE
    definition: Json = {"name": "table", "inputSchema": optional | {"$defs": {"A": {"enum": ["get", "drop"]}}}}
    assert classify(definition).category is DESTRUCTIVE


def test_one_action_counts_where_the_name_has_no_verb() -> None:
    assert tool("board_updater", "Run one of the operations", operation=["deploy-board"]).category is EXECUTE
    assert tool("board_reader", "Run one of the operations", operation=["get_board"]).category is READ
    assert tool("get_board", "Get a board", mode=["update"]).category is READ
    assert tool("compare", "Compare two boards", kind=["snapshot"]).category is READ


def test_the_worst_of_several_choosing_arguments_counts() -> None:
    below: Json = {"type": "array", "items": {"properties": {"operation": {"enum": ["add", "erase"]}}}}

    assert tool("sheet", "", mode=["get", "update"], edits=below).category is DESTRUCTIVE


def test_a_patch_of_one_document_is_an_update() -> None:
    patch: Json = {"type": "array", "items": {"properties": {"op": {"enum": ["add", "remove", "replace"]}}}}

    assert tool("update_board", "Update a board", patch=patch).category is WRITE


def test_schemas_without_end_are_looked_at_only_so_far() -> None:
    wide: Json = {"properties": {f"p{i}": {"$ref": "#"} for i in range(300)}, "oneOf": [{"$ref": "#"}] * 300}
    turning: Json = {"$ref": "#/a", "a": {"oneOf": [{"$ref": "#/a"}], "items": {"$ref": "#/a"}}}

    assert classify({"name": "get_board", "inputSchema": wide}).category is READ
    assert classify({"name": "get_board", "inputSchema": turning}).category is READ


@pytest.mark.parametrize(
    ("name", "description", "required", "argument", "category"),
    [
        ("download_report", "Download a report", [], "local_path", WRITE),
        ("export_board", "Export a board", [], "outputFile", WRITE),
        ("get_logs", "Get the logs", ["output_dir"], "output_dir", WRITE),
        ("get_logs", "Get the logs", [], "output_dir", READ),
        ("download_report", "Download a report", ["remote_path"], "remote_path", READ),
        ("read_notes", "Read notes", ["local_path"], "local_path", READ),
    ],
)
def test_what_puts_its_answer_into_a_file_writes(
    name: str, description: str, required: list[Json], argument: str, category: Category
) -> None:
    schema: Json = {"properties": {argument: {"type": "string"}}, "required": required}

    assert classify({"name": name, "description": description, "inputSchema": schema}).category is category


def test_a_tool_whose_actions_all_read_reads_whatever_it_is_called() -> None:
    assert tool("teams", "Manage teams: list, get", action=["list", "get", "get_members"]).category is READ
    assert tool("manage_teams", "List teams or get one", action=["list", "get"]).category is READ
    assert tool("update_teams", "List teams or get one", action=["list", "get"]).category is WRITE


def test_actions_in_a_description_in_quotes_count_like_an_enumeration() -> None:
    assert tool("boards", "Work with boards", action="one of 'list', 'create', 'delete'").category is DESTRUCTIVE


def test_the_kinds_of_events_that_are_listed_are_no_actions() -> None:
    assert tool("list_events", "List events", action=["create", "delete"]).category is READ
    assert tool("get_boards", "Get boards", action=["get", "delete"]).category is DESTRUCTIVE
    assert tool("list_events", "List or delete events", action=["create", "delete"]).category is DESTRUCTIVE
    assert tool("check_rights", "Check what may be done", operation=["create", "delete"]).category is READ
    assert tool("events", "Query events", action=["create", "delete"]).category is DESTRUCTIVE


def test_actions_that_a_description_lists_count_where_the_schema_names_none() -> None:
    text = "Edit a page.\n\n- set_title: the title\n- delete_blocks: for good\n"

    assert tool("edit_page", text, operations={"type": "array"}).category is DESTRUCTIVE
    assert tool("edit_page", text).category is WRITE
    text = 'Update a board.\n\nArgs:\n    action: "create", "drop" or "list"\n    name: of the board'
    assert tool("boards", text, action={"type": "string"}).category is DESTRUCTIVE
    assert tool("boards", text).category is WRITE


@pytest.mark.parametrize("values", [["open", "closed", "all"], ["build_failed", "marked", "assigned", "mentioned"]])
def test_a_filter_is_no_choice_of_actions(values: list[Json]) -> None:
    verdict = tool("list_todos", "List to-dos", action=values)

    assert (verdict.category, verdict.choice) == (READ, None)


@pytest.mark.parametrize(
    ("name", "argument", "description", "risk"),
    [
        ("query", "sql", "Run a query", Risk.HIGH),
        ("query", "sql", "Run a read-only query", Risk.MEDIUM),
        ("read_data", "query", "Query the database with SQL", Risk.HIGH),
        ("terminal", "command", "Type into the terminal", Risk.CRITICAL),
        ("run_python", "code", "Run code in a sandbox", Risk.CRITICAL),
    ],
)
def test_an_argument_that_is_run_makes_it_execute(name: str, argument: str, description: str, risk: Risk) -> None:
    verdict = tool(name, description, **_texts(argument))

    assert (verdict.category, verdict.risk) == (EXECUTE, risk)
    assert verdict.checked == (argument,)
    assert "runs-code" in verdict.flags


def test_code_that_goes_into_a_link_is_not_run() -> None:
    assert tool("get_playground_link", "Generate a link", query="SQL").category is READ


@pytest.mark.parametrize(
    ("name", "argument"),
    [("search_code", "query"), ("explain_sql", "sql"), ("validate_script", "script"), ("get_country", "code")],
)
def test_an_argument_that_is_only_looked_at_runs_nothing(name: str, argument: str) -> None:
    assert tool(name, "", **_texts(argument)).category is READ


def test_any_request_that_arguments_describe_is_execute() -> None:
    assert tool("api", "Talk to the API", method=["GET", "POST", "DELETE"], path="where").category is EXECUTE


def test_what_an_argument_says_of_itself_counts_where_the_words_are_harmless() -> None:
    assert tool("upload_file", "Upload a file", target="CSS selector of the input").category is EXECUTE
    assert tool("scan_site", "", extra_args="for the command line").category is EXECUTE
    assert tool("api", "Talk to the API", method="GET, POST or DELETE").category is EXECUTE
    assert tool("update_request", "Update a saved request", method=["GET", "POST"]).category is WRITE
    assert tool("aggregate", "Aggregate records", pipeline="stages").category is EXECUTE


def test_arguments_tell_of_money_where_no_verb_does() -> None:
    assert tool("move_between", "Move between accounts", amount="how much", to_account="which").category is FINANCIAL
    assert tool("create_movement", "", amount="how much", recipient="who").category is FINANCIAL
    assert tool("create_campaign", "", daily_budget="how much").category is FINANCIAL
    assert tool("create_campaign", "", subject="of the mail").category is WRITE
    assert tool("create_product", "", amount="how much").category is WRITE


# --- secrets, people, annotations -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "description", "arguments"),
    [
        ("get_secret", "", {}),
        ("get_access_token", "", {}),
        ("get_connection_string", "", {}),
        ("list_pages", "List pages. Returns the name and access token of each page.", {}),
        ("get_database", "Database details, masked", {"reveal": {"type": "boolean"}}),
    ],
)
def test_reads_that_return_secrets_are_flagged_and_high(
    name: str, description: str, arguments: dict[str, Json]
) -> None:
    verdict = tool(name, description, **arguments)

    assert (verdict.category, verdict.risk) == (READ, Risk.HIGH)
    assert "returns-secrets" in verdict.flags


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("list_boards", "List boards. Requires a valid access token."),
        ("list_boards", "List boards.\n\nArgs:\n  access_token: contains the API key, returned by login"),
        ("get_next_page", "Get the page after a page token"),
    ],
)
def test_a_secret_that_goes_in_is_none_that_comes_out(name: str, description: str) -> None:
    verdict = tool(name, description)

    assert (verdict.risk, verdict.flags) == (Risk.LOW, ())


@pytest.mark.parametrize(
    ("name", "description", "arguments"),
    [
        ("create_api_key", "Create a key for the API", {"label": "of the key"}),
        ("reset_password", "Reset the password of a machine", {"machine": "which"}),
        ("rotate_webhook_secret", "", {}),
        ("create_login_links", "Create links for a site", {}),
        ("get_domain_auth_code", "", {}),
        ("get_panel", "Returns a one-time link", {}),
        ("add_member", "Add a member. The access token is returned only once.", {}),
    ],
)
def test_what_makes_a_secret_or_a_way_in_is_flagged_as_well(
    name: str, description: str, arguments: dict[str, Json]
) -> None:
    verdict = tool(name, description, **arguments)

    assert "returns-secrets" in verdict.flags
    assert verdict.risk is Risk.HIGH


@pytest.mark.parametrize(
    ("name", "description", "arguments"),
    [
        ("reset_password", "Set another password", {"new_password": "the new one"}),
        ("create_secret", "Store a secret", {"value": "of the secret"}),
        ("deploy_template", "Deploy a template; shows required credentials", {}),
        ("create_invite_link", "Create a link to a board", {}),
    ],
)
def test_a_secret_that_the_caller_brings_along_is_none_that_comes_back(
    name: str, description: str, arguments: dict[str, Json]
) -> None:
    assert "returns-secrets" not in tool(name, description, **arguments).flags


def test_reads_about_people_are_medium() -> None:
    verdict = tool("list_customers", "List customers")

    assert (verdict.risk, verdict.flags, verdict.score) == (Risk.MEDIUM, ("private-data",), 2)


def test_no_annotation_lowers_anything() -> None:
    harmless: dict[str, Json] = {"readOnlyHint": True, "destructiveHint": False}
    for name, description in [
        ("delete_board", ""),
        ("refund", ""),
        ("run_job", "Run a job"),
        ("frob", ""),
        ("send_sms", ""),
    ]:
        plain, marked = tool(name, description), tool(name, description, hints=harmless)

        assert (marked.category, marked.risk) == (plain.category, plain.risk)
        assert "annotated-read-only" in marked.flags


def test_annotations_raise_what_the_words_leave_open() -> None:
    assert tool("get_board", "Get a board", hints={"readOnlyHint": False, "destructiveHint": True}).category is WRITE
    assert tool("status", "Status", hints={"readOnlyHint": False}).category is WRITE
    assert tool("frobnicate", "", hints={"destructiveHint": True}).risk is Risk.HIGH
    assert "annotated-destructive" in tool("update_board", "", hints={"destructiveHint": True}).flags


def test_a_default_that_is_spelt_out_changes_nothing_for_a_verb_that_surely_reads() -> None:
    assert tool("find_boards", "Find boards", hints={"destructiveHint": True}).category is READ
    assert tool("search", "Search by title", hints={"destructiveHint": True}).category is READ
    assert tool("board_query", "Query a board", hints={"destructiveHint": True}).category is READ
    assert tool("board", "Board", hints={"destructiveHint": True}).category is WRITE
    every: dict[str, Json] = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False}
    assert tool("read_sheet", "Read a sheet", hints=every | {"openWorldHint": True}).category is READ
    assert tool("read_sheet", "Read a sheet", hints=every | {"openWorldHint": False}).category is WRITE


@pytest.mark.parametrize("hints", [{"readOnlyHint": "yes"}, {"destructiveHint": 1}, {}])
def test_annotations_of_the_wrong_type_say_nothing(hints: dict[str, Json]) -> None:
    assert tool("get_board", "", hints=hints) == tool("get_board")


# --- the verdict itself -----------------------------------------------------------------------------------------------


def test_the_tools_that_users_named_come_out_as_they_named_them() -> None:
    named = {
        ("fb_send_message", "Send a text message via Messenger to a user."): (WRITE, Risk.MEDIUM),
        ("send_interactive_flow", "Send an interactive flow message."): (WRITE, Risk.MEDIUM),
        ("send_option_list", "Send an interactive option list."): (WRITE, Risk.MEDIUM),
        ("send_button_list", "Send a message with buttons"): (EXECUTE, Risk.HIGH),
        ("send_button_actions", "Send interactive action buttons"): (EXECUTE, Risk.HIGH),
    }
    for (name, description), expected in named.items():
        verdict = tool(name, description)
        assert (verdict.category, verdict.risk) == expected, name


def test_exceptions_by_name_are_few() -> None:
    assert len(OVERRIDES) <= 20


def test_a_verdict_names_its_evidence_uses_known_flags_and_is_always_the_same() -> None:
    rng = random.Random(5)
    parts = ["get", "list", "board", "delete", "sql", "run", "payment", "x", "9", "-", "_", "é", "Sync", "or", "of"]
    for _ in range(2000):
        name = "_".join(rng.sample(parts, rng.randint(0, 5)))
        definition: Json = {
            "name": name,
            "description": " ".join(rng.choices(parts, k=rng.randint(0, 12))),
            "inputSchema": {"properties": {rng.choice(parts): {"enum": rng.sample(parts, rng.randint(0, 4))}}},
        }
        verdict = classify(definition)

        assert verdict.evidence, definition
        assert all(verdict.evidence), definition
        assert set(verdict.flags) <= set(FLAGS), definition
        assert 1 <= verdict.score <= 5
        assert verdict == classify(json.loads(json.dumps(definition)))


def test_the_classes_are_ordered_by_danger() -> None:
    assert sorted(Category, key=SEVERITY.__getitem__) == [READ, WRITE, EXECUTE, DESTRUCTIVE, FINANCIAL]


def test_a_huge_description_costs_no_more_than_its_beginning() -> None:
    assert tool("board", "a (" * 200_000 + "deletes everything").category is WRITE
    assert tool("board", "[" * 200_000).category is WRITE
