"""Questions and answers about a picture, film or cloud in other languages.

They are not translated: a rule cannot translate what it did not write. Each pair that was to be translated is asked anew, from
the truth, in the language: what is shown, how many things there are, and what colour each has.
"""

from __future__ import annotations

from dataclasses import dataclass

from vistune.construction.offline.asked import Asked, Rule
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.errors import InputError
from vistune.world import digits, palette, shapes
from vistune.world.films.film import Film
from vistune.world.scene import Scene
from vistune.world.solids import surfaces
from vistune.world.solids.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language's sentences, with `{blanks}`, and its words in the order of the English ones of the world.

    `shown` and `listed` ask what is there and answer with a list joined by `join`; `many` and `number` ask for a count; `hue`
    and `coloured` for the colour of `{it}`. `digit`, `word` name a written number and word; `thing` joins a name with its
    colour.
    """

    shown: str
    listed: str
    many: str
    number: str
    hue: str
    coloured: str
    digit: str
    word: str
    thing: str
    join: str
    colours: str
    shapes: str
    solids: str


TONGUES: dict[str, Tongue] = {
    "zh": Tongue(
        "图中有什么？", "图中有{all}。", "图中有几个东西？", "有{n}个。", "{it}是什么颜色的？", "是{colour}的。",
        "数字{it}", "单词“{it}”", "{colour}的{it}", "、", "红色 绿色 蓝色 黄色 紫色 青色",
        "圆形 正方形 三角形 十字 星形 圆环", "球 正方体 圆柱 圆锥 圆环 棱锥",
    ),
    "ja": Tongue(
        "何が見えますか。", "{all}が見えます。", "物はいくつありますか。", "{n}つあります。", "{it}は何色ですか。",
        "{colour}です。", "数字の{it}", "「{it}」という単語", "{colour}の{it}", "と", "赤 緑 青 黄色 紫 水色",
        "円 正方形 三角形 十字 星 輪", "球 立方体 円柱 円すい 輪 角すい",
    ),
    "ko": Tongue(
        "무엇이 보입니까?", "보이는 것은 {all}입니다.", "물체가 몇 개 있습니까?", "{n}개 있습니다.",
        "{it}의 색은 무엇입니까?", "{colour}입니다.", "숫자 {it}", "단어 '{it}'", "{colour} {it}", ", ",
        "빨간색 초록색 파란색 노란색 보라색 청록색", "원 정사각형 삼각형 십자 별 고리", "공 정육면체 원기둥 원뿔 고리 각뿔",
    ),
    "ar": Tongue(
        "ماذا ترى هنا؟", "أرى هنا: {all}.", "كم عدد الأشياء هنا؟", "العدد هو {n}.", "ما لون {it}؟", "اللون {colour}.",
        "الرقم {it}", "الكلمة «{it}»", "{it} باللون {colour}", "، ", "الأحمر الأخضر الأزرق الأصفر البنفسجي السماوي",
        "الدائرة المربع المثلث الصليب النجمة الحلقة", "الكرة المكعب الأسطوانة المخروط الحلقة الهرم",
    ),
    "fr": Tongue(
        "Que voit-on ici ?", "On voit ici : {all}.", "Combien y a-t-il d'objets ?", "Il y en a {n}.",
        "De quelle couleur est {it} ?", "C'est de la couleur suivante : {colour}.", "le chiffre {it}", "le mot « {it} »",
        "{it} en {colour}", ", ", "rouge vert bleu jaune violet cyan",
        "le_cercle le_carré le_triangle la_croix l'étoile l'anneau",
        "la_boule le_cube le_cylindre le_cône l'anneau la_pyramide",
    ),
    "de": Tongue(
        "Was ist hier zu sehen?", "Hier zu sehen ist das: {all}.", "Wie viele Dinge sind es?", "Es sind {n}.",
        "Welche Farbe hat {it}?", "Die Farbe ist {colour}.", "die Ziffer {it}", "das Wort „{it}“", "{it} in {colour}", ", ",
        "Rot Grün Blau Gelb Violett Cyan", "der_Kreis das_Quadrat das_Dreieck das_Kreuz der_Stern der_Ring",
        "die_Kugel der_Würfel der_Zylinder der_Kegel der_Ring die_Pyramide",
    ),
    "es": Tongue(
        "¿Qué se ve aquí?", "Aquí se ve lo siguiente: {all}.", "¿Cuántas cosas hay?", "Hay {n} en total.",
        "¿De qué color es {it}?", "Es de color {colour}.", "la cifra {it}", "la palabra «{it}»", "{it} de color {colour}", ", ",
        "rojo verde azul amarillo violeta cian", "el_círculo el_cuadrado el_triángulo la_cruz la_estrella el_anillo",
        "la_bola el_cubo el_cilindro el_cono el_anillo la_pirámide",
    ),
}  # fmt: skip


def anew(asked: Asked) -> list[Item]:
    """As many pairs as are to be translated, in the language of the prompt."""
    count = sum(len(item.pairs) for item in triple_equals.parse(asked.record.notes["said"]).items)
    told = spoken(TONGUES[asked.prompt.language], _things(asked))
    first = asked.seed % len(told)
    return [Item(tuple(told[(first + number) % len(told)] for number in range(count)))]


def spoken(tongue: Tongue, things: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Every pair about things `(kind, name, colour)`: first what is shown, then colours of what is named once, then a count."""
    names = [named(tongue, kind, name) for kind, name, _ in things]
    hues = dict(zip(palette.NAMES, tongue.colours.split(), strict=True))
    listed = tongue.join.join(
        tongue.thing.format(it=name, colour=hues[colour]) for name, (_, _, colour) in zip(names, things, strict=True)
    )
    coloured = [
        (tongue.hue.format(it=name), tongue.coloured.format(colour=hues[colour]))
        for name, (_, _, colour) in zip(names, things, strict=True)
        if names.count(name) == 1
    ]
    count = (tongue.many, tongue.number.format(n=len(things)))
    return [(tongue.shown, tongue.listed.format(all=listed)), *coloured, count]


def named(tongue: Tongue, kind: str, name: str) -> str:
    """A thing's name in the language."""
    if kind == "digit":
        return tongue.digit.format(it=digits.NAMES.index(name))
    if kind == "word":
        return tongue.word.format(it=name)
    own, words = (shapes.NAMES, tongue.shapes) if kind == "shape" else (surfaces.NAMES, tongue.solids)
    return words.split()[own.index(name)].replace("_", " ")


def _things(asked: Asked) -> list[tuple[str, str, str]]:
    subject = asked.subject
    if isinstance(subject, Scene | Film):
        return [(thing.kind, thing.name, thing.colour) for thing in subject.objects]
    if isinstance(subject, Cloud):
        return [("solid", solid.name, solid.colour) for solid in subject.solids]
    raise InputError(
        f"record {asked.record.id!r}: the offline completer speaks other languages of pictures, films and clouds only"
    )


RULES: dict[str, Rule] = {"translate": anew}
