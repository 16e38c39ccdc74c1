"""The check as an assertion, for tests of your own models.

    from fanin.testing import assert_init_ok

    def test_my_model_can_learn():
        assert_init_ok(make_model(), batch, "cross_entropy", labels)

With pytest there is a fixture as well, ``check_init``, and ``pytest --fanin``.
"""

from fanin.testing.allowing import allowed as allowed
from fanin.testing.allowing import failing as failing
from fanin.testing.asserting import assert_init_ok as assert_init_ok
from fanin.testing.asserting import assert_report_ok as assert_report_ok
from fanin.testing.asserting import is_ok as is_ok
from fanin.testing.message import message_of as message_of
