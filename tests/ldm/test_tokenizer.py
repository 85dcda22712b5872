import pytest

from engine.errors import FileProblem
from engine.ldm.text.tokenizer import SPECIAL_TOKENS, BertTokenizer, parse_vocabulary, train_vocabulary
from tests.ldm import fixtures

CAPTIONS = ["a red apple", "a blue strawberry, flat", "grinning face with smiling eyes"] * 3 + ["café crème"]


def bert() -> BertTokenizer:
    return BertTokenizer.from_file(fixtures.fixture_path("tokenizer_bert") / "vocab.txt")


def test_the_reference_prompts_give_the_reference_ids():
    tokenizer = bert()
    for case in fixtures.config("tokenizer_bert")["cases"]:
        assert tokenizer.ids(case["text"]) == case["ids"], case["text"]


def test_an_empty_prompt_is_start_end_and_padding():
    assert bert()("").tolist() == [[101, 102] + [0] * 75]


def test_texts_make_one_row_each():
    assert bert()(["a", "b c"]).shape == (2, 77)
    assert bert()([]).shape == (0, 77)


def test_count_tells_what_truncation_would_cut():
    tokenizer = bert()
    assert tokenizer.count("a painting of a virus monster playing guitar") == 10
    assert tokenizer.count("the " * 200) == 202


def test_a_trained_vocabulary_has_berts_layout_and_keeps_frequent_words_whole():
    vocabulary = train_vocabulary(CAPTIONS, 200)
    assert tuple(vocabulary[:5]) == SPECIAL_TOKENS
    assert len(vocabulary) == len(set(vocabulary)) <= 200
    tokenizer = BertTokenizer(vocabulary, max_length=12)
    assert tokenizer.tokens("A red strawberry") == ["a", "red", "strawberry"]
    assert tokenizer("").tolist() == [[2, 3] + [0] * 10]


def test_a_trained_vocabulary_spells_words_it_never_saw():
    tokens = BertTokenizer(train_vocabulary(CAPTIONS, 200)).tokens("bluest")
    assert "[UNK]" not in tokens
    assert "".join(token.removeprefix("##") for token in tokens) == "bluest"


def test_the_same_captions_give_the_same_vocabulary():
    assert train_vocabulary(CAPTIONS, 150) == train_vocabulary(CAPTIONS, 150)


def test_a_vocabulary_survives_being_kept_as_text():
    vocabulary = train_vocabulary(CAPTIONS, 150)
    assert parse_vocabulary("\n".join(vocabulary)) == vocabulary
    assert parse_vocabulary("\r\n".join(vocabulary) + "\r\n") == vocabulary


def test_a_vocabulary_too_small_for_its_letters_is_refused():
    with pytest.raises(ValueError, match="more than 20"):
        train_vocabulary(CAPTIONS, 20)


def test_a_file_that_is_no_vocabulary_is_refused_by_name(tmp_path):
    path = tmp_path / "vocab.txt"
    with pytest.raises(FileProblem, match=r"vocab\.txt"):
        BertTokenizer.from_file(path)
    path.write_text("hello\nworld\n")
    with pytest.raises(FileProblem, match=r"vocab\.txt.*lacks \[PAD\]"):
        BertTokenizer.from_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileProblem, match=r"vocab\.txt"):
        BertTokenizer.from_file(path)
